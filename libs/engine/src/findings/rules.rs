//! The rules one after the other.

use ops_contract::{AuditEntry, Finding, Timestamp};

use super::access::{Access, Verb};
use super::found::Found;
use super::habits::Habits;
use super::limits::REQUESTS;
use super::world::World;
use super::{canary, departed, device, entitled, old_version, root};

/// Judges the next entry of the log, and remembers it. Entries that were observed before are passed over.
pub fn observe(habits: &mut Habits, entry: &AuditEntry, world: &World<'_>) -> Vec<Finding> {
    if entry.seq < habits.next {
        return Vec::new();
    }
    habits.next = entry.seq.saturating_add(1);
    let Some(access) = Access::of(entry) else {
        let tampered = device::tampered(entry).filter(|it| !world.spec.off.contains(&it.rule));
        return tampered.into_iter().collect();
    };
    habits.devices.observe(&access, world);
    // The other line of the same request says how it ended.
    if access.is_request {
        return Vec::new();
    }
    habits.values.observe(&access);
    // Two devices of one store tell of the same request.
    if access.detail("request_id").is_some_and(|id| !habits.judged.insert(id, REQUESTS)) {
        return Vec::new();
    }
    let is_known = world.secrets.contains_key(access.secret);
    let mut findings = by_declaration(habits, &access, world);
    let mut learning = false;
    if access.is_allowed() && (access.is_named() || access.verb != Verb::Other) {
        let principal = habits.principal(access.principal, access.at, world);
        findings.extend(principal.observe(&access, world));
        learning = principal.is_learning(access.at, world);
    }
    let wanted = findings.into_iter().filter(|it| !world.spec.off.contains(it.rule));
    wanted.map(|it| it.of(&access, is_known, learning)).collect()
}

fn by_declaration(habits: &mut Habits, access: &Access<'_>, world: &World<'_>) -> Vec<Found> {
    let mut found = habits.denied.judge(access, world);
    let others = [
        entitled::judge(access, world),
        habits.tokens.judge(access),
        departed::judge(access, world),
        habits.roles.judge(access, world),
        old_version::judge(&habits.values, access, world),
        root::judge(access),
        canary::judge(access, world),
    ];
    found.extend(others.into_iter().flatten());
    found
}

/// Finds what only time shows, and forgets what is over; call it every few seconds.
pub fn tick(habits: &mut Habits, now: Timestamp, world: &World<'_>) -> Vec<Finding> {
    habits.denied.tidy(now);
    habits.tokens.tidy(now);
    let mut findings = habits.devices.tick(now, world);
    findings.retain(|it| !world.spec.off.contains(&it.rule));
    findings
}
