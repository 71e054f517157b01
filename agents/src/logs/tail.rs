use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use ops_contract::LogLine;

use super::line;

/// How much is read at once, from the end backwards.
const BLOCK: u64 = 64 * 1024;
/// More rotated files than a shim keeps.
const MOST_FILES: u32 = 16;

/// The last `count` lines of a log and of the files it was rotated into, oldest first.
pub(crate) fn last_lines(log: &Path, count: usize) -> Vec<LogLine> {
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    let mut seen = 0;
    for n in 0..MOST_FILES {
        let Ok(file) = File::open(rotated(log, n)) else { break };
        seen += read_backwards(&file, count.saturating_sub(seen), &mut blocks);
        if seen >= count {
            break;
        }
    }
    blocks.reverse();
    let text = blocks.concat();
    let lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].iter().map(|raw| line::parse(raw)).collect()
}

/// The log itself for 0, `.log.1` for 1, and so on.
pub(super) fn rotated(log: &Path, n: u32) -> PathBuf {
    let mut path = log.as_os_str().to_owned();
    if n > 0 {
        path.push(format!(".{n}"));
    }
    PathBuf::from(path)
}

/// Pushes blocks, last first, until they hold more than `count` line ends; returns how many they hold.
fn read_backwards(mut file: &File, count: usize, blocks: &mut Vec<Vec<u8>>) -> usize {
    let mut end = file.metadata().map_or(0, |metadata| metadata.len());
    let mut seen = 0;
    while end > 0 && seen <= count {
        let start = end.saturating_sub(BLOCK);
        let mut block = Vec::new();
        let read =
            file.seek(SeekFrom::Start(start)).and_then(|_| file.take(end - start).read_to_end(&mut block));
        if read.is_err() {
            break;
        }
        seen += block.iter().filter(|&&byte| byte == b'\n').count();
        blocks.push(block);
        end = start;
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_found_across_rotated_files() {
        let folder = tempfile::tempdir().expect("folder");
        let log = folder.path().join("1.log");
        std::fs::write(rotated(&log, 1), "1 o one\n2 o two\n").expect("write");
        std::fs::write(&log, "3 e three\n4 o four\n").expect("write");
        let texts = |count| last_lines(&log, count).into_iter().map(|line| line.text).collect::<Vec<_>>();
        assert_eq!(texts(1), ["four"]);
        assert_eq!(texts(3), ["two", "three", "four"]);
        assert_eq!(texts(100), ["one", "two", "three", "four"]);
        assert!(last_lines(&folder.path().join("none.log"), 5).is_empty());
    }

    #[test]
    fn lines_longer_than_a_block_are_found_whole() {
        let folder = tempfile::tempdir().expect("folder");
        let log = folder.path().join("1.log");
        let lines: String = (0..500).map(|n| format!("{n} o {}\n", "x".repeat(1000))).collect();
        std::fs::write(&log, lines).expect("write");
        let last = last_lines(&log, 200);
        assert_eq!((last.len(), last[0].at.0, last[199].at.0), (200, 300, 499));
        assert!(last.iter().all(|line| line.text.len() == 1000));
    }
}
