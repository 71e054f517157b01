//! Everything that the CLI writes: results on standard output, all else on standard error.
//!
//! Colour only on a terminal, never with `NO_COLOR`; a state is always glyph and word, so that colour adds nothing.

use std::io::{self, IsTerminal, Write};

use comfy_table::{Cell, Color, ContentArrangement, Table, presets};
use serde::Serialize;

use crate::failure::{Failure, Result};

/// Columns below which tables are not wrapped.
const NARROWEST: u16 = 40;

/// The colours in use.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Colour {
    /// Good.
    Green,
    /// Look at it.
    Yellow,
    /// Bad.
    Red,
    /// Neither.
    Grey,
}

/// Writes one result. A reader that went away (`| head`) is no fault.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Writes one remark for people.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes a result as JSON.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::problems(format!("could not write JSON: {error}")))?;
    say(&text);
    Ok(())
}

/// A table with its head; long cells are wrapped only where a person reads.
pub(crate) fn table(head: &[&str]) -> Table {
    let terminal = io::stdout().is_terminal();
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    // Some terminals say that they have no width; wrapped into nothing, a table is of no use.
    let wide_enough = table.width().is_some_and(|width| width >= NARROWEST);
    table.set_content_arrangement(if terminal && wide_enough {
        ContentArrangement::Dynamic
    } else {
        ContentArrangement::Disabled
    });
    if wanted(terminal) {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table.set_header(head.iter().map(|word| Cell::new(word.to_uppercase())));
    table
}

/// A cell with a state's colour; the table paints it only where colour is wanted.
pub(crate) fn cell(text: &str, colour: Colour) -> Cell {
    Cell::new(text).fg(match colour {
        Colour::Green => Color::DarkGreen,
        Colour::Yellow => Color::DarkYellow,
        Colour::Red => Color::DarkRed,
        Colour::Grey => Color::DarkGrey,
    })
}

/// Writes a table without its margin.
pub(crate) fn say_table(table: &Table) {
    for line in table.lines() {
        say(line.trim_end().strip_prefix(' ').unwrap_or(line.trim_end()));
    }
}

/// Paints words for standard output.
pub(crate) fn paint(text: &str, colour: Colour) -> String {
    painted(text, colour, wanted(io::stdout().is_terminal()))
}

/// Paints words for standard error.
pub(crate) fn paint_note(text: &str, colour: Colour) -> String {
    painted(text, colour, wanted(io::stderr().is_terminal()))
}

fn wanted(terminal: bool) -> bool {
    terminal && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty())
}

fn painted(text: &str, colour: Colour, wanted: bool) -> String {
    let code = match colour {
        Colour::Green => 32,
        Colour::Yellow => 33,
        Colour::Red => 31,
        Colour::Grey => 90,
    };
    if wanted { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_added_only_where_it_is_wanted() {
        assert_eq!(painted("ready", Colour::Green, false), "ready");
        assert_eq!(painted("ready", Colour::Green, true), "\x1b[32mready\x1b[0m");
    }
}
