use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ops_contract::Stack;

use crate::Fault;

/// Where things are, as the caller knows it.
#[derive(Clone, Debug)]
pub struct Context {
    /// The `insightdesk` program, which development stores are started by.
    pub insightdesk: PathBuf,
    /// The state folder, absolute.
    pub state_dir: PathBuf,
    /// The folder of the stack file, absolute: relative programs and directories start here.
    pub base_dir: PathBuf,
}

/// A stack file without faults.
#[derive(Clone, Debug, PartialEq)]
pub struct StackFile {
    /// What should run, the development data services included.
    pub stack: Stack,
    /// How the server is to be run.
    pub server: ServerSection,
}

/// `[server]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSection {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its own store: `sqlite://…` or `postgres://…`.
    pub database: String,
    /// Folder of its own files, absolute.
    pub data_dir: PathBuf,
    /// The URL under which people reach it, when that is another.
    pub external_url: Option<String>,
}

/// Reads and checks a stack file.
pub fn load(_path: &Path, context: &Context) -> Result<StackFile, Vec<Fault>> {
    parse("", context)
}

/// Checks the text of a stack file.
pub fn parse(_text: &str, _context: &Context) -> Result<StackFile, Vec<Fault>> {
    Err(Vec::new())
}
