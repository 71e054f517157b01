use serde_json::Value;

use super::reading::RawJob;
use crate::options::JobOptions;

/// Since when a job could have been taken, in ms since 1970, by what it tells itself: when it was added, put off by its delay; or when it ran last, put off by its backoff.
pub(super) fn claimable_since(job: &RawJob) -> Option<i64> {
    let added = job.added? + delay_ms(&job.opts);
    let Some(ran) = job.processed else { return Some(added) };
    let backoff = match job.attempts {
        0 => 0,
        attempts => options(&job.opts)
            .and_then(|options| options.backoff)
            .map_or(0, |backoff| backoff.wait(attempts, 1.0).as_millis() as i64),
    };
    Some(added.max(ran + backoff))
}

/// For how long the job was in line before it ran, if it ran once.
pub(super) fn waited_ms(job: &RawJob) -> Option<i64> {
    let once = job.attempts <= 1;
    once.then_some(())?;
    Some(job.processed? - (job.added? + delay_ms(&job.opts)))
}

/// For how long it ran.
pub(super) fn ran_ms(job: &RawJob) -> Option<i64> {
    Some(job.finished? - job.processed?)
}

/// The delay that it was added with. The field of that name is 0 once the job was due.
fn delay_ms(opts: &str) -> i64 {
    options(opts).and_then(|options| options.delay).map_or(0, |delay| delay.as_millis() as i64)
}

fn options(opts: &str) -> Option<JobOptions> {
    match serde_json::from_str(opts).ok()? {
        Value::Object(opts) => Some(JobOptions::from_json(&opts)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(processed: Option<i64>, attempts: u32, opts: &str) -> RawJob {
        let opts = opts.to_owned();
        RawJob { id: "1".to_owned(), added: Some(10_000), processed, finished: Some(13_000), attempts, opts }
    }

    #[test]
    fn a_job_is_as_old_as_its_last_chance_to_run() {
        assert_eq!(claimable_since(&job(None, 0, "")), Some(10_000));
        assert_eq!(claimable_since(&job(None, 0, r#"{"delay":500,"attempts":3}"#)), Some(10_500));
        assert_eq!(claimable_since(&job(None, 0, "{rubbish")), Some(10_000));
        let backoff = r#"{"backoff":{"type":"exponential","delay":1000}}"#;
        assert_eq!(claimable_since(&job(Some(12_000), 0, backoff)), Some(12_000), "given back, not failed");
        assert_eq!(claimable_since(&job(Some(12_000), 2, backoff)), Some(14_000));
        assert_eq!(claimable_since(&RawJob { added: None, ..job(None, 0, "") }), None);
    }

    #[test]
    fn waits_are_told_of_jobs_that_ran_once() {
        assert_eq!(waited_ms(&job(Some(12_000), 1, r#"{"delay":500}"#)), Some(1_500));
        assert_eq!(waited_ms(&job(Some(12_000), 2, "")), None);
        assert_eq!(ran_ms(&job(Some(12_000), 1, "")), Some(1_000));
    }
}
