// Run on a host: prints what is said of the containment of one of its users, and the steps to a user of its own.
import { dedicatedUserSteps } from "../../../src/core/containment/dedicated-user.ts";
import { gradeContainment } from "../../../src/core/containment/grade.ts";
import { openProbe } from "../../../src/edge/host/containment/probe.ts";

const uid = Number(process.argv[2]);
const facts = openProbe().facts({ kind: "users", uids: [{ first: uid, last: uid }] });
const account = facts.accounts.known ? facts.accounts.value[0] : undefined;
const { grade, reasons } = gradeContainment(facts);
const belongings = account?.belongings ?? null;
const steps = belongings === null ? [] : dedicatedUserSteps(belongings, account?.name ?? "");
console.log(JSON.stringify({ grade, reasons, steps, otherAdmins: account?.otherAdmins }));
