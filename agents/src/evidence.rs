//! How a replica ended, with what is left of it: words, last lines, a file that outlives this agent.

use std::sync::Arc;

use ops_contract::{Exit, ExitReason, ReplicaId, ReplicaPhase, ReplicaReport, Timestamp};
use tracing::{info, warn};

use crate::agent::Agent;
use crate::paths::{Paths, entries, number_of};
use crate::{clock, files, logs, meaning};

/// How many of the last lines are kept.
const LAST_LINES: usize = 200;
/// How many ends of a slot are kept.
const KEEP_EXITS: usize = 5;
/// How many generations of a slot keep their logs and records.
const KEEP_GENERATIONS: usize = 6;

/// What is known of an end.
pub(crate) struct End {
    pub(crate) reason: ExitReason,
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) at: Timestamp,
    pub(crate) error: Option<String>,
    pub(crate) leftovers: Vec<String>,
    pub(crate) started_at: Option<Timestamp>,
}

impl End {
    /// Nothing but that it ended.
    pub(crate) fn unknown() -> Self {
        Self {
            reason: ExitReason::Lost,
            code: None,
            signal: None,
            at: clock::now(),
            error: None,
            leftovers: Vec::new(),
            started_at: None,
        }
    }
}

/// Gathers the evidence, keeps it, and tells the server.
pub(crate) async fn tell(agent: &Arc<Agent>, replica: &ReplicaId, generation: i64, end: End) {
    let killed_for_memory = end.signal == Some(9) && agent.oom.has_risen();
    let (paths, id) = (agent.paths.clone(), replica.clone());
    let gathered =
        tokio::task::spawn_blocking(move || gather(&paths, &id, generation, end, killed_for_memory)).await;
    let Ok(exit) = gathered else { return };
    info!(%replica, generation, reason = ?exit.reason, "{replica} ended: {}", exit.meaning);

    let phase = if exit.reason == ExitReason::Asked { ReplicaPhase::Stopped } else { ReplicaPhase::Exited };
    let (started_at, meaning) = (exit.started_at, exit.meaning.clone());
    agent.outbox.exit(exit);
    if agent.fleet.report(replica).is_none_or(|report| report.generation < generation) {
        agent.fleet.put(ended_report(replica, generation, started_at), None);
    }
    agent.fleet.update(replica, generation, |report| {
        report.phase = phase;
        report.pid = None;
        report.unresponsive = false;
        report.detail = Some(meaning);
    });
    agent.balance();
}

/// Removes what is older than the generations that are kept.
pub(crate) fn prune(paths: &Paths, replica: &ReplicaId) {
    for folder in [paths.slot(replica), paths.logs(replica)] {
        let mut numbers: Vec<i64> = entries(&folder).iter().filter_map(|path| number_of(path)).collect();
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        numbers.dedup();
        let Some(oldest) = numbers.get(KEEP_GENERATIONS - 1) else { continue };
        for path in
            entries(&folder).iter().filter(|path| number_of(path).is_some_and(|number| number < *oldest))
        {
            let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
        }
    }
}

fn gather(paths: &Paths, replica: &ReplicaId, generation: i64, end: End, killed_for_memory: bool) -> Exit {
    let folder = paths.exits(replica);
    let file = folder.join(format!("{generation}.json"));
    // It was gathered before, by an earlier agent, when more could be seen.
    if let Some(exit) = files::read_json::<Exit>(&file) {
        return exit;
    }
    let exit = Exit {
        replica: replica.clone(),
        generation,
        meaning: meaning::of(&end, killed_for_memory),
        reason: end.reason,
        code: end.code,
        signal: end.signal,
        started_at: end.started_at,
        at: end.at,
        last_lines: logs::last_lines(&paths.log(replica, generation), LAST_LINES),
    };
    if let Err(error) = files::write_json(&file, &exit) {
        warn!(%replica, %error, "cannot keep the evidence of an exit");
    }
    let mut kept: Vec<i64> = entries(&folder).iter().filter_map(|path| number_of(path)).collect();
    kept.sort_unstable_by(|a, b| b.cmp(a));
    for old in kept.iter().skip(KEEP_EXITS) {
        let _ = std::fs::remove_file(folder.join(format!("{old}.json")));
    }
    exit
}

fn ended_report(replica: &ReplicaId, generation: i64, started_at: Option<Timestamp>) -> ReplicaReport {
    let at = clock::now();
    ReplicaReport {
        replica: replica.clone(),
        generation,
        phase: ReplicaPhase::Exited,
        since: at,
        pid: None,
        port: None,
        started_at,
        detail: None,
        unresponsive: false,
        usage: None,
        at,
    }
}
