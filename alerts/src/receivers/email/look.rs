//! The HTML part in our own words: one column that a phone can show, without pictures or anything from elsewhere.

use ops_contract::Notification;

use crate::receivers::Telling;
use crate::receivers::page::{self, Grade, Markup};

/// Longest text in characters.
const LONGEST: usize = 60_000;

pub(in crate::receivers) fn html(note: &Notification, telling: &Telling<'_>) -> String {
    let color = match page::grade(note) {
        Grade::Resolved => "#1a7f37",
        Grade::Information => "#0969da",
        Grade::Warning => "#9a6700",
        Grade::Critical => "#cf222e",
    };
    let title = Markup::Html.escape(&page::title(note, telling));
    let text = page::text(note, telling, Markup::Html, LONGEST);
    let font = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
    let head = format!("margin:0 0 16px;padding:12px;border-radius:6px;background:{color};color:#ffffff");
    [
        "<!DOCTYPE html>",
        "<html lang=\"en\"><head><meta charset=\"utf-8\">",
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">",
        &format!("<title>{title}</title></head>"),
        &format!("<body style=\"margin:0;padding:12px;{font};font-size:16px;line-height:1.5\">"),
        "<div style=\"max-width:640px;margin:0 auto\">",
        &format!("<h1 style=\"{head};font-size:18px\">{title}</h1>"),
        &format!("<div style=\"overflow-wrap:anywhere\">{text}</div>"),
        "</div></body></html>\n",
    ]
    .join("\n")
}
