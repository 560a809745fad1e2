import type { Ip } from "../net/ip.ts";
import { CLASS_IN, RCODE, read16, TYPE } from "./message.ts";
import { isAtOrBelow } from "./name.ts";
import type { ResourceRecord } from "./record.ts";
import type { Asked, Sections, UpstreamAnswer } from "./upstream.ts";
