use ops_contract::SecretSource;

use super::*;

const DAY: i64 = 86_400_000_000;
/// 3 May 2026.
const LEFT: i64 = 1_777_766_400_000_000;

fn day(days: i64) -> Timestamp {
    Timestamp(LEFT + days * DAY)
}

#[derive(Default)]
struct Scene {
    secrets: BTreeMap<String, SecretSpec>,
    reads: BTreeMap<String, SecretRead>,
    rotations: BTreeMap<String, Vec<Timestamp>>,
}

impl Scene {
    /// A secret of a tier, with the days of alice's reads and of its renewals, from when she left.
    fn with(mut self, name: &str, tier: u8, reads: &[i64], rotations: &[i64]) -> Self {
        let source = SecretSource::Env { variable: "S".to_owned() };
        self.secrets.insert(name.to_owned(), SecretSpec { tier, ..SecretSpec::new(source) });
        let reads = (800..).zip(reads).map(|(seq, it)| SecretRead { at: day(*it), seq });
        if let Some(last) = reads.last() {
            self.reads.insert(name.to_owned(), last);
        }
        self.rotations.insert(name.to_owned(), rotations.iter().map(|it| day(*it)).collect());
        self
    }

    fn work(&self) -> Vec<DepartureWork> {
        let Self { secrets, reads, rotations } = self;
        exposure(&Exposure { person: "alice", left_at: day(0), secrets, reads, rotations })
    }

    fn closed(&self) -> Vec<Option<Timestamp>> {
        self.work().into_iter().map(|it| it.closed_at).collect()
    }
}

#[test]
fn what_was_read_since_it_was_renewed_is_known_and_what_was_renewed_since_is_not() {
    let scene = Scene::default()
        .with("db", 0, &[-5], &[-10])
        .with("old", 0, &[-20], &[-10])
        .with("never renewed", 1, &[-300, -200], &[])
        .with("never read", 0, &[], &[]);
    let work: Vec<_> = scene.work().into_iter().map(|it| (it.secret, it.why)).collect();
    let told = |name: &str, why: &str| (name.to_owned(), why.to_owned());
    assert_eq!(
        work,
        [
            told("db", "read on 28 April 2026 (audit entry 800)"),
            told("never renewed", "read on 15 October 2025 (audit entry 801)"),
        ]
    );
}

#[test]
fn it_is_closed_by_a_renewal_after_they_left_and_opened_by_a_read_after_that() {
    assert_eq!(Scene::default().with("db", 0, &[-5], &[-10]).closed(), [None]);
    assert_eq!(Scene::default().with("db", 0, &[-5], &[9, 2]).closed(), [Some(day(2))]);
    assert_eq!(Scene::default().with("db", 0, &[-5, 3], &[2]).closed(), [None]);
    assert_eq!(Scene::default().with("db", 0, &[-5, 3], &[2, 4]).closed(), [Some(day(4))]);
    assert_eq!(
        Scene::default().with("db", 0, &[-5, 3], &[3]).closed(),
        [None],
        "in the same moment proves nothing"
    );
    assert_eq!(Scene::default().with("db", 0, &[3], &[2]).closed(), [None], "a first read after they left");
}

#[test]
fn owners_know_what_they_own_and_the_most_dangerous_comes_first() {
    let mut scene = Scene::default().with("b", 1, &[-1], &[]).with("a", 2, &[], &[]).with("c", 0, &[-1], &[]);
    for name in ["a", "b"] {
        if let Some(spec) = scene.secrets.get_mut(name) {
            spec.owner = Some("alice".to_owned());
        }
    }
    scene.reads.insert("secret/data/x".to_owned(), SecretRead { at: day(-1), seq: 9 });
    let work = scene.work();
    let order: Vec<_> = work.iter().map(|it| (it.secret.as_str(), it.tier)).collect();
    assert_eq!(order, [("c", 0), ("b", 1), ("secret/data/x", 1), ("a", 2)]);
    assert_eq!(work[1].why, "read on 2 May 2026 (audit entry 800), is its owner");
    assert_eq!(work[2].why, "read on 2 May 2026 (audit entry 9), is not in the inventory");
    assert_eq!(work[3].why, "is its owner");
}
