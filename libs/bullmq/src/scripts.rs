//! The Lua that runs inside the server, one file per step under `lua/`.
//!
//! A step is atomic: nobody sees a job between two states. The scripts never trust what stands in a job's hash.
//! To add one: write `lua/NAME.lua`, name the shared parts it needs in [`Scripts::new`], and call it through
//! `Queue::script`, which fills in the key base and the clock.

use redis::Script;

const COMMON: &str = include_str!("lua/common.lua");
const TAKE_NEXT: &str = include_str!("lua/take_next.lua");
const RELATIONS: &str = include_str!("lua/relations.lua");
const REMOVAL: &str = include_str!("lua/removal.lua");
const ADDING: &str = include_str!("lua/adding.lua");
const METRICS: &str = include_str!("lua/metrics.lua");
const SCHEDULING: &str = include_str!("lua/scheduling.lua");

/// Every script, hashed once per client.
pub(crate) struct Scripts {
    pub(crate) add: Script,
    pub(crate) add_flow: Script,
    pub(crate) take: Script,
    pub(crate) retry: Script,
    pub(crate) finish: Script,
    pub(crate) wait_for_children: Script,
    pub(crate) give_back: Script,
    pub(crate) extend: Script,
    pub(crate) stalled: Script,
    pub(crate) reclaim: Script,
    pub(crate) rouse: Script,
    pub(crate) update: Script,
    pub(crate) log: Script,
    pub(crate) oldest: Script,
    pub(crate) upsert_scheduler: Script,
    pub(crate) next_iteration: Script,
    pub(crate) remove_scheduler: Script,
    pub(crate) pause: Script,
    pub(crate) state: Script,
    pub(crate) page: Script,
    pub(crate) promote: Script,
    pub(crate) adjust: Script,
    pub(crate) run_again: Script,
    pub(crate) remove: Script,
    pub(crate) sweep: Script,
}

impl Scripts {
    pub(crate) fn new() -> Self {
        let plain = |own: &str| Script::new(&[COMMON, own].join("\n"));
        let taking = |parts: &[&str]| Script::new(&[&[COMMON, TAKE_NEXT], parts].concat().join("\n"));
        let related = |own: &str| Script::new(&[COMMON, RELATIONS, own].join("\n"));
        let removing = |own: &str| Script::new(&[COMMON, RELATIONS, REMOVAL, own].join("\n"));
        let adding = |own: &str| Script::new(&[COMMON, RELATIONS, ADDING, own].join("\n"));
        let scheduling = |own: &str| Script::new(&[COMMON, SCHEDULING, own].join("\n"));
        Self {
            add: adding(include_str!("lua/add.lua")),
            add_flow: adding(include_str!("lua/add_flow.lua")),
            take: taking(&[include_str!("lua/take.lua")]),
            retry: taking(&[include_str!("lua/retry.lua")]),
            finish: taking(&[RELATIONS, REMOVAL, METRICS, include_str!("lua/finish.lua")]),
            wait_for_children: taking(&[include_str!("lua/wait_for_children.lua")]),
            give_back: plain(include_str!("lua/give_back.lua")),
            extend: plain(include_str!("lua/extend.lua")),
            stalled: plain(include_str!("lua/stalled.lua")),
            reclaim: plain(include_str!("lua/reclaim.lua")),
            rouse: plain(include_str!("lua/rouse.lua")),
            update: plain(include_str!("lua/update.lua")),
            log: plain(include_str!("lua/log.lua")),
            oldest: plain(include_str!("lua/oldest.lua")),
            upsert_scheduler: scheduling(include_str!("lua/upsert_scheduler.lua")),
            next_iteration: scheduling(include_str!("lua/next_iteration.lua")),
            remove_scheduler: scheduling(include_str!("lua/remove_scheduler.lua")),
            pause: plain(include_str!("lua/pause.lua")),
            state: plain(include_str!("lua/state.lua")),
            page: plain(include_str!("lua/page.lua")),
            adjust: plain(include_str!("lua/adjust.lua")),
            promote: plain(include_str!("lua/promote.lua")),
            run_again: related(include_str!("lua/run_again.lua")),
            remove: removing(include_str!("lua/remove.lua")),
            sweep: removing(include_str!("lua/sweep.lua")),
        }
    }
}
