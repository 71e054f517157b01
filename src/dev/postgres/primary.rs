//! A PostgreSQL primary with one database, for development: trust on 127.0.0.1, small memory, `fsync` on.

use std::convert::Infallible;
use std::fs;
use std::path::PathBuf;

use anyhow::Context;

use super::{Place, becomes, leftover, quoted, run as run_command};
use crate::dev::say;

/// Nobody but this machine's programs may connect.
const ACCESS: &str = "# Written by `insightdesk dev postgres`.\n\
    host all all 127.0.0.1/32 trust\n\
    host replication all 127.0.0.1/32 trust\n";

/// Arguments of `dev postgres`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its folder.
    #[arg(long)]
    data: PathBuf,
    /// Its port on 127.0.0.1.
    #[arg(long)]
    port: u16,
    /// The database to create.
    #[arg(long)]
    database: String,
    /// The user to create; owns the database and may replicate.
    #[arg(long)]
    user: String,
}

pub(in crate::dev) fn run(arguments: &Arguments) -> anyhow::Result<Infallible> {
    let place = Place::prepare(&arguments.data)?;
    place.clear_draft()?;
    let wanted = format!("{}\n{}\n", arguments.user, arguments.database);
    if place.has_cluster() {
        leftover::clear(&place.cluster())?;
        let contents = place.cluster().join("insightdesk.contents");
        if fs::read_to_string(&contents).ok().as_deref() != Some(&wanted) {
            add_missing(&place, arguments)?;
            fs::write(&contents, wanted).context("could not note what the cluster holds")?;
        }
    } else {
        say(&format!("creating a PostgreSQL cluster in {}", place.folder.display()));
        create(&place, arguments)?;
        fs::write(place.draft().join("insightdesk.contents"), wanted)
            .context("could not note what the cluster holds")?;
        place.keep_draft()?;
    }
    becomes(place.server(arguments.port))
}

fn create(place: &Place, arguments: &Arguments) -> anyhow::Result<()> {
    let mut initdb = place.program("initdb");
    initdb.arg("-D").arg(place.draft()).args(["-U", &arguments.user, "-A", "trust", "-E", "UTF8"]);
    initdb.args(["--locale=C.UTF-8", "--no-instructions"]);
    run_command(initdb)?;
    fs::write(place.draft().join("pg_hba.conf"), ACCESS).context("could not write pg_hba.conf")?;
    if arguments.database != "postgres" {
        let statement = format!("CREATE DATABASE {}\n", quoted(&arguments.database));
        place.single_user(&place.draft(), &statement)?;
    }
    Ok(())
}

/// The stack file names another user or database than before: adds them, keeps the old ones.
fn add_missing(place: &Place, arguments: &Arguments) -> anyhow::Result<()> {
    say("the stack file names another user or database: adding them");
    let (user, database) = (quoted(&arguments.user), quoted(&arguments.database));
    for statement in [
        format!("CREATE ROLE {user} SUPERUSER REPLICATION LOGIN\n"),
        format!("CREATE DATABASE {database} OWNER {user}\n"),
    ] {
        if let Err(error) = place.single_user(&place.cluster(), &statement)
            && !format!("{error:#}").contains("already exists")
        {
            return Err(error);
        }
    }
    Ok(())
}
