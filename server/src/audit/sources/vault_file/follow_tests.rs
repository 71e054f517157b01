use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use tempfile::TempDir;

use super::{Event, Fault, Follower, Mark};

struct Scene {
    folder: TempDir,
    follower: Follower,
    mark: Option<Mark>,
    read: Vec<String>,
    events: Vec<Event>,
    fault: Option<Fault>,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let follower = Follower::new(&folder.path().join("audit.log"));
        Self { folder, follower, mark: None, read: Vec::new(), events: Vec::new(), fault: None }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, text: &str) {
        append(&self.path("audit.log"), text);
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// Reads until there is no more.
    fn run(&mut self) {
        for _ in 0..1_000 {
            let pass = self.follower.pass(self.mark.as_ref());
            self.read.extend(pass.lines.iter().map(|it| String::from_utf8(it.clone()).unwrap()));
            self.events.extend(pass.events);
            (self.mark, self.fault) = (pass.mark, pass.fault);
            if !pass.more {
                return;
            }
        }
        panic!("it never ends");
    }

    /// As another process that knows the mark and nothing else.
    fn restart(&mut self) {
        self.follower = Follower::new(&self.path("audit.log"));
    }
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn whole_lines_are_read_once() {
    let mut scene = Scene::new();
    scene.run();
    assert_eq!(scene.fault, Some(Fault::Missing));
    scene.write("a\nb\n\nc");
    scene.run();
    assert_eq!((scene.read.join(","), scene.fault), ("a,b".to_owned(), None));
    scene.write("c\nd\n");
    scene.restart();
    scene.run();
    scene.run();
    assert_eq!(scene.read.join(","), "a,b,cc,d");
    assert!(scene.events.is_empty());
}

#[test]
fn a_pass_that_was_not_kept_is_read_again() {
    let mut scene = Scene::new();
    scene.write("a\nb\n");
    let lost = scene.follower.pass(None);
    assert_eq!(lost.lines.len(), 2);
    scene.run();
    assert_eq!(scene.read.join(","), "a,b");
}

#[test]
fn a_file_that_is_renamed_is_read_to_its_end() {
    let mut scene = Scene::new();
    scene.write("a\n");
    scene.run();
    scene.rename("audit.log", "audit.log.1");
    scene.run();
    // The store writes to the old file until it is told to open a new one.
    append(&scene.path("audit.log.1"), "b\nlast");
    scene.run();
    assert_eq!((scene.read.join(","), scene.fault), ("a,b".to_owned(), None));
    scene.write("c\n");
    scene.run();
    assert_eq!(scene.read.join(","), "a,b,last,c");
    assert!(scene.events.is_empty(), "{:?}", scene.events);
}

#[test]
fn what_is_rotated_twice_while_nobody_reads_is_not_lost() {
    let mut scene = Scene::new();
    scene.write("a\n");
    scene.run();
    append(&scene.path("audit.log"), "b\n");
    scene.rename("audit.log", "audit.log.2");
    fs::write(scene.path("audit.log.1"), "c\n").unwrap();
    fs::write(scene.path("audit.log.3.gz"), "packed\n").unwrap();
    fs::write(scene.path("other.log"), "other\n").unwrap();
    scene.write("d\n");
    scene.restart();
    scene.run();
    assert_eq!(scene.read.join(","), "a,b,c,d");
    assert!(scene.events.is_empty(), "{:?}", scene.events);
}

#[test]
fn a_file_that_was_cut_is_told_and_read_anew() {
    for restart in [false, true] {
        let mut scene = Scene::new();
        scene.write("first\nsecond\n");
        scene.run();
        fs::write(scene.path("audit.log"), "3\n").unwrap();
        if restart {
            scene.restart();
        }
        scene.run();
        assert_eq!(scene.events, [Event::Cut { had: 13, has: 2 }]);
        assert_eq!(scene.read.join(","), "first,second,3");
    }
}

#[test]
fn a_file_that_was_changed_where_it_was_read_is_told() {
    let mut scene = Scene::new();
    scene.write("first\nsecond\n");
    scene.run();
    fs::write(scene.path("audit.log"), "FIRST\nsecond\nthird\n").unwrap();
    scene.run();
    assert_eq!(scene.events, [Event::Cut { had: 13, has: 19 }]);
}

#[test]
fn a_file_that_was_deleted_is_told_until_there_is_another() {
    let mut scene = Scene::new();
    scene.write("a\n");
    scene.run();
    let mut writer = OpenOptions::new().append(true).open(scene.path("audit.log")).unwrap();
    fs::remove_file(scene.path("audit.log")).unwrap();
    writer.write_all(b"b\n").unwrap();
    scene.run();
    assert_eq!((scene.read.join(","), scene.fault), ("a,b".to_owned(), Some(Fault::Deleted)));
    scene.write("c\n");
    scene.run();
    assert_eq!((scene.read.join(","), scene.fault), ("a,b,c".to_owned(), None));
}

#[test]
fn what_is_nowhere_any_more_is_told() {
    let mut scene = Scene::new();
    scene.write("a\nb\n");
    scene.run();
    let keeps_the_inode = OpenOptions::new().read(true).open(scene.path("audit.log")).unwrap();
    fs::remove_file(scene.path("audit.log")).unwrap();
    scene.write("c\n");
    scene.restart();
    scene.run();
    drop(keeps_the_inode);
    assert_eq!(scene.events, [Event::Lost { had: 4 }]);
    assert_eq!(scene.read.join(","), "a,b,c");
}

#[test]
fn a_line_without_end_is_passed_over() {
    let mut scene = Scene::new();
    scene.write("a\n");
    scene.write(&"x".repeat(5 << 20));
    scene.write("\nb\n");
    scene.run();
    assert_eq!(scene.events, [Event::TooLong { at: 2 }]);
    assert_eq!((scene.read.first().unwrap(), scene.read.last().unwrap()), (&"a".to_owned(), &"b".to_owned()));
    let mut many = Scene::new();
    many.write(&"line\n".repeat(10_000));
    many.run();
    assert_eq!(many.read.len(), 10_000);
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let mut scene = Scene::new();
    fs::create_dir(scene.path("audit.log")).unwrap();
    scene.run();
    assert_eq!(scene.fault, Some(Fault::Unreadable));
}
