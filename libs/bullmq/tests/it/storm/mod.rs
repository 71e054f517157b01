//! A storm: twenty thousand jobs of every kind, added by npm and by us, while worker processes of both kinds are killed at random.

mod fleet;
mod load;

use std::{
    collections::{HashMap, HashSet},
    time::Instant,
};

use ops_bullmq::{Queue, State};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use self::{
    fleet::{CONCURRENCY, Fleet},
    load::Load,
};
use crate::support::{Npm, Server, client, eventually};

const QUEUE: &str = "storm";
const JOBS: usize = 20_000;
const KILLS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_mixed_jobs_survive_killed_workers_of_both_kinds() {
    let seed: u64 = std::env::var("INSIGHTDESK_TEST_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(rand::random);
    println!("seed {seed} (again with INSIGHTDESK_TEST_SEED={seed})");
    let mut random = StdRng::seed_from_u64(seed);
    let began = Instant::now();
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    let mut fleet = Fleet::start(&server, QUEUE).await;
    let load = Load::mixed(JOBS, &mut random);
    let expected = load.expected();

    let adding = load.add(&client, &npm, QUEUE);
    let killing = async {
        for kill in 1..=KILLS {
            let after = (expected.jobs * kill / (KILLS + 2)) as u64;
            eventually("so many have ended", || async {
                let counts = queue.counts().await.expect("an answer");
                (counts.completed + counts.failed >= after).then_some(())
            })
            .await;
            fleet.kill_one(random.random_range(0..usize::MAX)).await;
        }
    };
    let (added, ()) = tokio::join!(adding, killing);
    eventually("nothing is left", || async {
        let counts = queue.counts().await.expect("an answer");
        let left = counts.waiting
            + counts.active
            + counts.delayed
            + counts.prioritized
            + counts.paused
            + counts.waiting_children;
        (left == 0).then_some(())
    })
    .await;
    let took = began.elapsed();

    // None was lost, and each ended as it had to.
    let ended = async |state: State| -> HashSet<String> {
        let key = format!("bull:{QUEUE}:{}", if state == State::Failed { "failed" } else { "completed" });
        redis::from_redis_value(server.command(&["ZRANGE", &key, "0", "-1"]).await).expect("ids")
    };
    let (completed, failed) = (ended(State::Completed).await, ended(State::Failed).await);
    assert!(completed.is_disjoint(&failed));
    let lost: Vec<_> = added
        .good
        .iter()
        .filter(|id| !completed.contains(*id))
        .chain(added.bad.difference(&failed))
        .collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    // Children are not in the list of what was added: npm tells a flow's root only.
    assert_eq!(completed.len(), added.good.len() + expected.children, "no more and no less than was added");
    assert_eq!(failed.len(), added.bad.len());
    for root in &added.roots {
        let root = queue.job(root).await.expect("an answer").expect("kept");
        let value = root.return_value.expect("it completed");
        assert_eq!(value["children"], load::CHILDREN, "{} ran before its children had ended", root.id);
    }

    // None ran twice but for those that a killed process had in hand.
    let notes: Vec<String> =
        redis::from_redis_value(server.command(&["LRANGE", "storm-runs", "0", "-1"]).await).expect("notes");
    let mut times: HashMap<&str, usize> = HashMap::new();
    let mut by_us = 0;
    for note in &notes {
        let (kind, run) = note.split_once(' ').expect("kind, id and attempt");
        by_us += usize::from(kind == "ours");
        *times.entry(run).or_default() += 1;
    }
    let attempts = completed.len() + failed.len() + expected.retries;
    assert_eq!(times.len(), attempts, "every attempt ran, and no other");
    let (again, bound) = (notes.len() - times.len(), fleet.kills() * CONCURRENCY);
    println!(
        "{} jobs, {attempts} attempts, {by_us} by us and {} by npm, {} kills, {again} runs again (bound {bound}), {:.1} s",
        completed.len() + failed.len(),
        notes.len() - by_us,
        fleet.kills(),
        took.as_secs_f64(),
    );
    assert!(again <= bound, "{again} runs again after {} kills of {CONCURRENCY} jobs each", fleet.kills());
    assert!(by_us > JOBS / 10 && notes.len() - by_us > JOBS / 10, "both kinds worked");
}
