use leptos::prelude::*;

use crate::STYLE;

/// What is around every page.
pub(crate) struct Document<'a> {
    pub(crate) title: String,
    /// The glyph of the state, in the tab's icon.
    pub(crate) glyph: &'static str,
    /// Seconds until the page asks again.
    pub(crate) refresh: Option<u32>,
    pub(crate) nonce: &'a str,
}

impl Document<'_> {
    /// The whole document around `body`.
    pub(crate) fn render(self, body: impl IntoView) -> String {
        let icon = format!(
            "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><text y='13' font-size='14'>{}</text></svg>",
            self.glyph
        );
        let html = view! {
            <html lang="en">
                <head>
                    <meta charset="utf-8"/>
                    <meta name="viewport" content="width=device-width, initial-scale=1"/>
                    <meta name="color-scheme" content="light dark"/>
                    {self.refresh.map(|seconds| view! { <meta http-equiv="refresh" content=seconds.to_string()/> })}
                    <title>{self.title}</title>
                    <link rel="icon" href=icon/>
                    <style nonce=self.nonce.to_owned() inner_html=STYLE></style>
                </head>
                <body>{body.into_any()}</body>
            </html>
        };
        format!("<!DOCTYPE html>{}", html.to_html())
    }
}
