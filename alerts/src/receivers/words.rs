//! Texts of settings that are templates, filled in: what cannot be rendered is replaced by our own words or left out, since
//! a fault in a template must not lose a page.

use ops_contract::Notification;

use super::Telling;
use crate::templates::Escape;

/// Fills templates in for one message.
pub(super) struct Words<'a> {
    pub(super) note: &'a Notification,
    pub(super) telling: &'a Telling<'a>,
    pub(super) escape: Escape,
}

impl<'a> Words<'a> {
    /// The same for what is no text for people, such as an address.
    pub(super) fn raw(&self) -> Words<'a> {
        Words { escape: Escape::None, ..*self }
    }

    /// The text of a setting, else the named template, else what `own` says.
    pub(super) fn text(&self, setting: Option<&str>, named: &str, own: impl FnOnce() -> String) -> String {
        let named = format!("{{{{ template {named:?} . }}}}");
        match setting {
            // Left empty on purpose.
            Some(text) if text.trim().is_empty() => String::new(),
            setting => self.filled(setting).or_else(|| self.filled(Some(&named))).unwrap_or_else(own),
        }
    }

    /// The text of a setting; nothing where it is not set, empty, or cannot be rendered.
    pub(super) fn filled(&self, setting: Option<&str>) -> Option<String> {
        self.try_filled(setting?).ok().filter(|it| !it.trim().is_empty())
    }

    /// The text of a setting without which there is no message.
    pub(super) fn try_filled(&self, setting: &str) -> Result<String, String> {
        self.telling.templates.render_as(setting, self.escape, self.note, self.telling)
    }
}
