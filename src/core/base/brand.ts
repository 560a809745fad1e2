declare const brand: unique symbol;

/** A primitive that only its parser can make; everywhere else it is proven by its type. */
export type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };
