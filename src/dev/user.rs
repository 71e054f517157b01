//! PostgreSQL refuses to run as root: root becomes the user `postgres`.

use anyhow::{Context, bail};

/// A user of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct User {
    /// User id.
    pub(crate) uid: u32,
    /// Its group's id.
    pub(crate) gid: u32,
}

/// The user to become, when this process is root.
pub(crate) fn to_become() -> anyhow::Result<Option<User>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let passwd = std::fs::read_to_string("/etc/passwd").context("could not read /etc/passwd")?;
    match parse(&passwd, "postgres") {
        Some(user) => Ok(Some(user)),
        None => bail!(
            "PostgreSQL does not run as root and there is no user `postgres`: install the server's package (Debian: `apt-get install postgresql`), or run as another user"
        ),
    }
}

/// Becomes `user` for good. This thread must be the only one.
pub(crate) fn switch_to(user: User) -> anyhow::Result<()> {
    switch(user).context("could not become the user `postgres`")
}

#[cfg(target_os = "linux")]
fn switch(user: User) -> anyhow::Result<()> {
    use rustix::process::{Gid, Signal, Uid, getppid, set_parent_process_death_signal};
    use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

    let parent = getppid();
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    set_thread_groups(&[gid])?;
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)?;
    // The kernel forgets the death signal when a process changes its user; the program must still die with its shim.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    anyhow::ensure!(getppid() == parent, "the parent process has gone");
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn switch(_: User) -> anyhow::Result<()> {
    bail!("run as another user than root")
}

fn parse(passwd: &str, name: &str) -> Option<User> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then_some(())?;
        let uid = fields.nth(1)?.parse().ok()?;
        Some(User { uid, gid: fields.next()?.parse().ok()? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_read_from_passwd() {
        let passwd =
            "root:x:0:0:root:/root:/bin/sh\nbroken\npostgres:x:101:104::/var/lib/postgresql:/bin/bash\n";
        assert_eq!(parse(passwd, "postgres"), Some(User { uid: 101, gid: 104 }));
        assert_eq!(parse(passwd, "nobody"), None);
        assert_eq!(parse("postgres:x:many", "postgres"), None);
    }
}
