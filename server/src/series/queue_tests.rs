#![allow(clippy::unwrap_used)]

use super::*;

fn rows(count: i64) -> Vec<(Labels, Sample)> {
    let labels = Labels::new([("__name__", "m")]).unwrap();
    (0..count).map(|at_ms| (labels.clone(), Sample { at_ms, value: 1.0 })).collect()
}

fn times(batch: &Batch) -> Vec<i64> {
    batch.samples.iter().map(|(_, it)| it.at_ms).collect()
}

#[test]
fn what_was_not_acknowledged_is_told_again_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue::open(folder.path(), 1 << 20).unwrap();
    queue.push(&rows(2)).unwrap();
    queue.push(&rows(3)).unwrap();
    let first = queue.next(2).unwrap().unwrap();
    assert_eq!(times(&first), [0, 1]);
    queue.acknowledge(&first).unwrap();
    let second = queue.next(10).unwrap().unwrap();
    assert_eq!(times(&second), [0, 1, 2]);
    drop(queue);
    let queue = Queue::open(folder.path(), 1 << 20).unwrap();
    queue.push(&rows(1)).unwrap();
    let again = queue.next(10).unwrap().unwrap();
    assert_eq!(times(&again), [0, 1, 2]);
    queue.acknowledge(&again).unwrap();
    let last = queue.next(10).unwrap().unwrap();
    assert_eq!(times(&last), [0]);
    queue.acknowledge(&last).unwrap();
    assert!(queue.next(10).unwrap().is_none());
    assert_eq!(queue.bytes(), (0, 0));
}

#[test]
fn whatever_is_cut_off_or_damaged_is_left_out_and_the_rest_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue::open(folder.path(), 1 << 20).unwrap();
    queue.push(&rows(2)).unwrap();
    let whole = queue.bytes().0;
    queue.push(&rows(3)).unwrap();
    drop(queue);
    let file = path(folder.path(), 0);
    let bytes = fs::read(&file).unwrap();
    for cut in 0..bytes.len() {
        for flip in [false, true] {
            let mut damaged = bytes.clone();
            if flip {
                damaged[cut] ^= 0x55;
            } else {
                damaged.truncate(cut);
            }
            let folder = tempfile::tempdir().unwrap();
            fs::write(path(folder.path(), 0), &damaged).unwrap();
            let queue = Queue::open(folder.path(), 1 << 20).unwrap();
            queue.push(&rows(1)).unwrap();
            let mut told = Vec::new();
            while let Some(batch) = queue.next(10).unwrap() {
                told.extend(times(&batch));
                queue.acknowledge(&batch).unwrap();
            }
            let expected: &[i64] = if (cut as u64) < whole { &[0] } else { &[0, 1, 0] };
            assert_eq!(told, expected, "byte {cut}, flipped: {flip}");
        }
    }
}

#[test]
fn the_oldest_go_when_there_is_no_room_and_that_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue::open(folder.path(), FILE).unwrap();
    let mut pushed = 0;
    while queue.bytes().1 == 0 {
        // Values that do not pack, so that files fill up.
        let labels = Labels::new([("__name__", "m")]).unwrap();
        let rows: Vec<_> = (0..10_000_u64)
            .map(|it| {
                let bits = (it + pushed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                (
                    labels.clone(),
                    Sample { at_ms: i64::try_from(bits >> 2).unwrap(), value: f64::from_bits(bits) },
                )
            })
            .collect();
        queue.push(&rows).unwrap();
        pushed += 10_000;
    }
    let (waiting, dropped) = queue.bytes();
    assert!(dropped >= FILE && waiting <= FILE + (1 << 20), "{waiting} {dropped}");
    let next = queue.next(10).unwrap().unwrap();
    assert_eq!(next.samples.len(), 10_000);
}
