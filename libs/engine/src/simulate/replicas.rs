use super::random::Random;

/// Where a simulated replica is in its life.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Starting,
    Ready,
    Draining,
    Gone { at_s: f64 },
}

/// One simulated replica.
#[derive(Clone, Debug)]
struct Replica {
    asked_s: f64,
    phase: Phase,
    active: u32,
}

/// All replicas of a run, and their free slots.
#[derive(Debug, Default)]
pub(super) struct Replicas {
    all: Vec<Replica>,
    /// The replica of each free slot.
    free: Vec<u32>,
    /// Those that are not gone.
    alive: Vec<u32>,
    pub(super) ready: u32,
    pub(super) starting: u32,
    pub(super) draining: u32,
}

impl Replicas {
    pub(super) fn ask(&mut self, now_s: f64) -> u32 {
        let id = self.all.len() as u32;
        self.all.push(Replica { asked_s: now_s, phase: Phase::Starting, active: 0 });
        self.alive.push(id);
        self.starting += 1;
        id
    }

    /// A replica takes jobs from now on; how long that took. `None` when it was called off.
    pub(super) fn became_ready(&mut self, id: u32, concurrency: u32, now_s: f64) -> Option<f64> {
        let replica = self.all.get_mut(id as usize).filter(|it| it.phase == Phase::Starting)?;
        replica.phase = Phase::Ready;
        self.starting -= 1;
        self.ready += 1;
        self.free.extend(std::iter::repeat_n(id, concurrency as usize));
        Some(now_s - replica.asked_s)
    }

    /// A free slot, drawn at random: whichever worker asks first gets the job.
    pub(super) fn take_slot(&mut self, random: &mut Random) -> Option<u32> {
        if self.free.is_empty() {
            return None;
        }
        let id = self.free.swap_remove(below(random, self.free.len()));
        if let Some(replica) = self.all.get_mut(id as usize) {
            replica.active += 1;
        }
        Some(id)
    }

    pub(super) fn has_free_slot(&self) -> bool {
        !self.free.is_empty()
    }

    /// Whether it is still there: a killed replica ends no job.
    pub(super) fn is_gone(&self, id: u32) -> bool {
        self.all.get(id as usize).is_none_or(|it| matches!(it.phase, Phase::Gone { .. }))
    }

    pub(super) fn job_ended(&mut self, id: u32, now_s: f64) {
        let Some(replica) = self.all.get_mut(id as usize) else { return };
        replica.active -= 1;
        match replica.phase {
            Phase::Draining if replica.active == 0 => self.gone(id, now_s),
            Phase::Draining => {}
            _ => self.free.push(id),
        }
    }

    /// Sends away one that starts (the newest), or the one with the fewest jobs; it ends them first. As a good agent
    /// does it.
    pub(super) fn drain_idlest(&mut self, now_s: f64) -> Option<u32> {
        let victim = self.alive.iter().rev().copied().min_by_key(|id| {
            let replica = &self.all[*id as usize];
            match replica.phase {
                Phase::Starting => 0,
                Phase::Ready => 1 + replica.active,
                Phase::Draining | Phase::Gone { .. } => u32::MAX,
            }
        })?;
        self.drain(victim, now_s)
    }

    /// Sends any away, as an orchestrator does that knows nothing of jobs.
    pub(super) fn drain_any(&mut self, now_s: f64, random: &mut Random) -> Option<u32> {
        let candidates: Vec<u32> = self
            .alive
            .iter()
            .copied()
            .filter(|id| matches!(self.all[*id as usize].phase, Phase::Starting | Phase::Ready))
            .collect();
        let victim = *candidates.get(below(random, candidates.len()))?;
        self.drain(victim, now_s)
    }

    fn drain(&mut self, id: u32, now_s: f64) -> Option<u32> {
        let replica = self.all.get_mut(id as usize)?;
        match replica.phase {
            Phase::Starting => self.starting -= 1,
            Phase::Ready => self.ready -= 1,
            Phase::Draining | Phase::Gone { .. } => return None,
        }
        replica.phase = Phase::Draining;
        self.draining += 1;
        let idle = replica.active == 0;
        self.free.retain(|slot| *slot != id);
        if idle {
            self.gone(id, now_s);
        }
        Some(id)
    }

    /// Ends it whatever it does.
    pub(super) fn kill(&mut self, id: u32, now_s: f64) {
        if self.all.get(id as usize).is_some_and(|it| it.phase == Phase::Draining) {
            self.gone(id, now_s);
        }
    }

    fn gone(&mut self, id: u32, now_s: f64) {
        if let Some(replica) = self.all.get_mut(id as usize) {
            replica.phase = Phase::Gone { at_s: now_s };
            self.draining -= 1;
            self.alive.retain(|it| *it != id);
        }
    }

    /// What was paid for until `end_s`: each from being asked for to its exit.
    pub(super) fn paid_s(&self, end_s: f64) -> f64 {
        self.all
            .iter()
            .map(|it| match it.phase {
                Phase::Gone { at_s } => at_s.min(end_s.max(it.asked_s)) - it.asked_s,
                _ => (end_s - it.asked_s).max(0.0),
            })
            .sum()
    }
}

/// In 0..`count`; 0 when there is none.
fn below(random: &mut Random, count: usize) -> usize {
    if count == 0 { 0 } else { (random.bits() % count as u64) as usize }
}
