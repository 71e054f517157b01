//! Notification templates in Alertmanager's language.
//!
//! The language is `ops_promql::template`'s; what templates can speak of is in `data`, what they can call in `functions`, and the
//! texts that come with the program in `built_in.tmpl`.

mod data;
mod functions;
mod layout;
mod moment;
#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

use ops_contract::Notification;
use ops_promql::template::{Library, Rendering};

use crate::receivers::{Telling, Wrong, escape_html, escape_slack};
use functions::{Names, Page};

/// Templates that come with the program, under Alertmanager's names.
const BUILT_IN: &str = include_str!("built_in.tmpl");

/// Most template files, and most bytes in all of them.
const MOST_FILES: usize = 200;
const MOST_BYTES: usize = 4 << 20;

static BUILT_IN_LIBRARY: LazyLock<Arc<Library>> = LazyLock::new(|| {
    let mut library = Library::default();
    // Tested to parse; without it every kind tells in its own words.
    let _ = library.add(BUILT_IN, &Names);
    Arc::new(library)
});

/// What is done to values that are filled in, so that they are no markup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escape {
    /// Nothing.
    None,
    /// HTML's characters.
    Html,
    /// Those of Slack's mrkdwn; links stay links.
    Slack,
}

/// Texts by name, from the files that the configuration lists and from those that come with the program.
#[derive(Clone, Debug)]
pub struct Templates {
    library: Arc<Library>,
}

impl Default for Templates {
    fn default() -> Self {
        Self { library: Arc::clone(&BUILT_IN_LIBRARY) }
    }
}

impl Templates {
    /// Reads template files, given as name and text. All that is wrong is told at once.
    pub fn load(files: &[(String, String)]) -> Result<Self, Vec<Wrong>> {
        let wrong = |field: &str, problem: String, fix: &str| Wrong {
            field: field.to_owned(),
            problem,
            fix: fix.to_owned(),
        };
        let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
        if files.len() > MOST_FILES || bytes > MOST_BYTES {
            let problem = format!("{} files with {bytes} bytes are too many", files.len());
            let fix = format!("keep at most {MOST_FILES} with {MOST_BYTES} bytes in all");
            return Err(vec![wrong("templates", problem, &fix)]);
        }
        let mut library = Library::clone(&BUILT_IN_LIBRARY);
        let faults: Vec<Wrong> = files
            .iter()
            .filter_map(|(name, text)| {
                let error = library.add(text, &Names).err()?;
                Some(wrong(name, error.reason, ""))
            })
            .collect();
        if faults.is_empty() { Ok(Self { library: Arc::new(library) }) } else { Err(faults) }
    }

    /// Fills `text` in. `html`: what is filled in is escaped.
    pub fn render(
        &self,
        text: &str,
        html: bool,
        note: &Notification,
        telling: &Telling<'_>,
    ) -> Result<String, String> {
        self.render_as(text, if html { Escape::Html } else { Escape::None }, note, telling)
    }

    pub(crate) fn render_as(
        &self,
        text: &str,
        escape: Escape,
        note: &Notification,
        telling: &Telling<'_>,
    ) -> Result<String, String> {
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        let escaped: fn(&str) -> String = match escape {
            Escape::None => str::to_owned,
            Escape::Html => escape_html,
            Escape::Slack => escape_slack,
        };
        let rendering = Rendering {
            data: data::root(note, telling),
            functions: &Page { note, telling },
            escape: &escaped,
        };
        self.library.render(text, &rendering).map_err(|error| error.reason)
    }

    /// What the owner of a text should know, that stands at `place` in the settings of an integration: templates that nobody
    /// defines, or that it is none.
    pub(crate) fn remarks(&self, place: &str, text: &str) -> Vec<String> {
        match self.library.undefined(text, &Names) {
            Ok(names) => {
                let told =
                    |name| format!("{place}: no template {name:?} is defined: our own text is sent instead");
                names.into_iter().map(told).collect()
            }
            Err(error) => vec![format!("{place}: {error}: our own text is sent instead")],
        }
    }
}
