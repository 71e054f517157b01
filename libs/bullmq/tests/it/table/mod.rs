//! The table of compatibility: every feature, from npm to ours, from ours to npm, and with both kinds of worker on one queue.

mod cell;
mod deduplication;
mod flows;
mod jobs;
mod options;
mod workers;

use std::sync::Arc;

use futures::{FutureExt, StreamExt, future::BoxFuture};

use self::cell::{Cell, Kind};
use crate::support::{Npm, Server, client};

pub(crate) use self::options::read as read_options;

/// A feature, and what must hold for it in a cell.
type Row = (&'static str, fn(Cell) -> BoxFuture<'static, ()>);

/// How many cells are checked at the same time.
const AT_ONCE: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn every_feature_works_in_both_directions_and_with_both_workers() {
    let server = Server::start().await;
    let npm = Arc::new(Npm::start(&server).await);
    let client = client(&server).await;
    let rows: Vec<Row> = [jobs::ROWS, deduplication::ROWS, flows::ROWS, workers::ROWS].concat();
    let columns = [
        (0, Kind::Npm, [false, true]),
        (1, Kind::Ours, [true, false]),
        (2, Kind::Npm, [true, true]),
        (2, Kind::Ours, [true, true]),
    ];
    let cells = rows.iter().enumerate().flat_map(|(row, (_, check))| {
        let (npm, client) = (npm.clone(), client.clone());
        columns.iter().enumerate().map(move |(place, (column, producer, workers))| {
            let cell = Cell::new(format!("cell-{row}-{place}"), &client, &npm, *producer, *workers);
            let check = tokio::spawn(check(cell)).map(|end| end.map_err(|error| error.to_string()));
            async move { (row, *column, check.await) }
        })
    });
    let ends: Vec<_> = futures::stream::iter(cells).buffer_unordered(AT_ONCE).collect().await;
    let mut table = vec![["ok"; 3]; rows.len()];
    for (row, column, end) in &ends {
        if end.is_err() {
            table[*row][*column] = "FAILED";
        }
    }
    println!(
        "| feature | npm -> ours | ours -> npm | both workers, both producers |\n| --- | --- | --- | --- |"
    );
    for ((name, _), [to_ours, to_npm, both]) in rows.iter().zip(&table) {
        println!("| {name} | {to_ours} | {to_npm} | {both} |");
    }
    let faults: Vec<_> = ends
        .iter()
        .filter_map(|(row, column, end)| Some((rows[*row].0, column, end.as_ref().err()?)))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}
