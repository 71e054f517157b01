//! A trace with the terms that policies are compared on. The terms come from formulas, never from a look at one file.

use super::read::{Bin, Recorded, Recording};
use super::{Config, LogNormal, Random, Setting, Trace, spread};

/// Most jobs made out of counts; what goes beyond is cut to the days around the peak.
const MOST_JOBS: f64 = 5e6;

/// What a comparison runs on.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The jobs.
    pub trace: Trace,
    /// What the policies know.
    pub setting: Setting,
    /// What was done to the recording.
    pub remarks: Vec<String>,
}

/// Terms of a scenario. The whole table: [`Terms::RECORDED`] here and one row for each in [`super::synthetic`].
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// See [`Setting`].
    pub target_wait_s: f64,
    /// See [`Setting`].
    pub concurrency: u32,
    /// See [`Setting`].
    pub bounds: (u32, u32),
    /// See [`Setting`].
    pub start_s: f64,
    /// Mean of the log-normal run times.
    pub mean_run_s: f64,
    /// Their deviation over their mean.
    pub variation: f64,
    /// See [`Setting`].
    pub limit_per_s: Option<f64>,
}

impl Terms {
    /// For recorded traces: a target as long as a start, where it matters most what is ready already; and jobs of a third of
    /// it, so that two weeks are five million jobs.
    pub const RECORDED: Self = Self {
        target_wait_s: 30.0,
        concurrency: 10,
        bounds: (1, 400),
        start_s: 30.0,
        mean_run_s: 10.0,
        variation: 1.0,
        limit_per_s: None,
    };

    /// Mean load of a recorded trace in replicas. Recorded peaks are 3 to 30 times the mean, so that 12 to 120 replicas are
    /// busy in them; two replicas more or less count at the mean already.
    pub const LOAD: f64 = 4.0;
}

/// What an operator wants otherwise.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// See [`Setting`].
    pub target_wait_s: Option<f64>,
    /// See [`Setting`].
    pub concurrency: Option<u32>,
    /// Fewest replicas.
    pub fewest: Option<u32>,
    /// Most replicas.
    pub most: Option<u32>,
    /// See [`Setting`].
    pub start_s: Option<f64>,
    /// Mean run time, where the trace says none.
    pub mean_run_s: Option<f64>,
    /// Mean load in replicas that counts are scaled to.
    pub load: Option<f64>,
    /// Whether counts are taken as they are.
    pub as_recorded: bool,
}

impl Wishes {
    /// The terms with the wishes in place.
    pub(super) fn over(&self, terms: Terms) -> Terms {
        let (fewest, most) = terms.bounds;
        let fewest = self.fewest.unwrap_or(fewest);
        Terms {
            target_wait_s: self.target_wait_s.unwrap_or(terms.target_wait_s),
            concurrency: self.concurrency.unwrap_or(terms.concurrency),
            bounds: (fewest, self.most.unwrap_or(most).max(fewest)),
            start_s: self.start_s.unwrap_or(terms.start_s),
            mean_run_s: self.mean_run_s.unwrap_or(terms.mean_run_s),
            ..terms
        }
    }
}

impl Scenario {
    /// Terms and jobs together; the mean run time is that of the jobs.
    pub(super) fn new(trace: Trace, terms: Terms, remarks: Vec<String>) -> Self {
        let work_s: f64 = trace.jobs.iter().map(|job| job.run_s).sum();
        let mean_run_s =
            if trace.jobs.is_empty() { terms.mean_run_s } else { work_s / trace.jobs.len() as f64 };
        let setting = Setting {
            target_wait_s: terms.target_wait_s,
            concurrency: terms.concurrency,
            bounds: terms.bounds,
            mean_run_s,
            mean_start_s: terms.start_s,
            limit_per_s: terms.limit_per_s,
        };
        Self { trace, setting, remarks }
    }

    /// A recorded trace. Counts are scaled until the mean load is [`Terms::LOAD`] replicas. Jobs with sizes of their own are
    /// left alone; there a replica works on as many at once as make the mean load the same.
    pub fn recorded(recording: &Recording, wishes: &Wishes, seed: u64) -> Self {
        let mut terms = wishes.over(Terms::RECORDED);
        let load = wishes.load.unwrap_or(Terms::LOAD);
        let mut remarks = recording.remarks.clone();
        let trace = match &recording.what {
            Recorded::Counts(bins) => counts(
                &recording.name,
                bins,
                &terms,
                (!wishes.as_recorded).then_some(load),
                seed,
                &mut remarks,
            ),
            Recorded::Jobs(jobs) => {
                let length_s = jobs.last().map_or(0.0, |job| job.due_s);
                let busy: f64 = jobs.iter().map(|job| job.run_s).sum::<f64>() / length_s.max(1.0);
                if wishes.concurrency.is_none() && !wishes.as_recorded {
                    terms.concurrency = (busy / load).round().clamp(1.0, 1000.0) as u32;
                }
                Trace::new(&*recording.name, jobs.clone(), length_s)
            }
        };
        Self::new(trace, terms, remarks)
    }

    /// The run's configuration.
    pub fn config(&self, seed: u64) -> Config {
        Config::new(self.setting.clone(), seed)
    }
}

fn counts(
    name: &str,
    bins: &[Bin],
    terms: &Terms,
    load: Option<f64>,
    seed: u64,
    remarks: &mut Vec<String>,
) -> Trace {
    let length_s = bins.last().map_or(0.0, |bin| bin.start_s + bin.length_s);
    let counted: f64 = bins.iter().map(|bin| bin.count).sum();
    let per_s = load.map(|load| load * f64::from(terms.concurrency) / terms.mean_run_s);
    let scale = per_s.map_or(1.0, |per_s| if counted > 0.0 { per_s * length_s / counted } else { 0.0 });
    let kept = spread::around_the_peak(bins, MOST_JOBS / scale.max(f64::MIN_POSITIVE));
    let begin_s = kept.first().map_or(0.0, |bin| bin.start_s);
    let mut kept: Vec<Bin> = kept.iter().map(|bin| Bin { start_s: bin.start_s - begin_s, ..*bin }).collect();
    if let [only] = &mut kept[..] {
        // Even one step may hold too many.
        let share = (MOST_JOBS / (only.count * scale).max(1.0)).min(1.0);
        (only.length_s, only.count) = (only.length_s * share, only.count * share);
    }
    let kept_s = kept.last().map_or(0.0, |bin| bin.start_s + bin.length_s);
    if kept_s < length_s {
        remarks.push(format!(
            "replays the {:.1} hours around the peak, of {:.1}",
            kept_s / 3600.0,
            length_s / 3600.0
        ));
    }
    let run = LogNormal::new(terms.mean_run_s, terms.variation);
    let mut random = Random::new(seed);
    let jobs = match load {
        Some(_) => spread::poisson(&kept, scale, run, &mut random),
        None => spread::counted(&kept, run, &mut random),
    };
    Trace::new(name, jobs, kept_s)
}

#[cfg(test)]
mod tests {
    use super::super::Job;
    use super::*;

    fn recording(what: Recorded) -> Recording {
        Recording { name: "a".into(), what, remarks: Vec::new() }
    }

    fn bins(steps: usize, count: impl Fn(usize) -> f64) -> Recorded {
        let bin = |step| Bin { start_s: step as f64 * 60.0, length_s: 60.0, count: count(step) };
        Recorded::Counts((0..steps).map(bin).collect())
    }

    fn mean_load(scenario: &Scenario) -> f64 {
        let work_s: f64 = scenario.trace.jobs.iter().map(|job| job.run_s).sum();
        work_s / scenario.trace.length_s / f64::from(scenario.setting.concurrency)
    }

    #[test]
    fn counts_are_scaled_to_the_mean_load() {
        for scale in [1.0, 1000.0] {
            let recording = recording(bins(600, |step| scale * (step % 7) as f64));
            let scenario = Scenario::recorded(&recording, &Wishes::default(), 1);
            assert!((mean_load(&scenario) - Terms::LOAD).abs() < 0.2, "{}", mean_load(&scenario));
        }
    }

    #[test]
    fn counts_as_recorded_are_left_alone() {
        let wishes = Wishes { as_recorded: true, mean_run_s: Some(0.5), ..Wishes::default() };
        let scenario = Scenario::recorded(&recording(bins(600, |_| 3.0)), &wishes, 1);
        assert_eq!(scenario.trace.jobs.len(), 1800);
        assert_eq!(scenario.trace.length_s, 36_000.0);
    }

    #[test]
    fn jobs_with_sizes_get_the_concurrency_of_the_mean_load() {
        let jobs = (0..1000).map(|job| Job::at(f64::from(job), 16.0)).collect();
        let scenario = Scenario::recorded(&recording(Recorded::Jobs(jobs)), &Wishes::default(), 1);
        assert_eq!(scenario.setting.concurrency, 4);
        assert_eq!(scenario.setting.mean_run_s, 16.0);
    }

    #[test]
    fn what_is_too_long_is_cut_to_the_peak_and_says_so() {
        let recording = recording(bins(100_000, |step| if step == 70_000 { 99.0 } else { 1.0 }));
        let scenario = Scenario::recorded(&recording, &Wishes::default(), 1);
        assert!((4_900_000..5_100_000).contains(&scenario.trace.jobs.len()), "{}", scenario.trace.jobs.len());
        assert_eq!(scenario.remarks.len(), 1, "{:?}", scenario.remarks);
    }

    #[test]
    fn not_even_one_step_makes_more_jobs_than_fit() {
        for (count, as_recorded) in [(1e12, true), (1.0, false)] {
            let wishes = Wishes { as_recorded, load: Some(1e9), ..Wishes::default() };
            let scenario = Scenario::recorded(&recording(bins(10, |_| count)), &wishes, 1);
            assert!((4_900_000..5_100_000).contains(&scenario.trace.jobs.len()));
        }
    }

    #[test]
    fn nothing_at_all_is_a_scenario_too() {
        let scenario = Scenario::recorded(&recording(bins(10, |_| 0.0)), &Wishes::default(), 1);
        assert!(scenario.trace.jobs.is_empty());
        assert_eq!(scenario.trace.length_s, 600.0);
    }

    #[test]
    fn the_same_seed_is_the_same_trace() {
        let recording = recording(bins(600, |step| (step % 7) as f64));
        let trace = |seed| Scenario::recorded(&recording, &Wishes::default(), seed).trace;
        assert_eq!(trace(3), trace(3));
        assert_ne!(trace(3), trace(4));
    }
}
