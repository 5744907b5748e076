internal import EventModel

/// The pages that whoever follows a link may see, in the style of the gateway's own. They have no script, and whatever others have written
/// stays text.
enum LinkPages {
    static func missing(_ code: String) -> RouteReply {
        page(
            404, "There is no such link",
            "<p>Nothing is at <b>\(escaped(code))</b>. Look whether the link is whole.</p>")
    }

    static func gone() -> RouteReply {
        page(410, "This link has ended", "<p>It led somewhere once. Its owner has ended it, or its time is over.</p>")
    }

    static func early() -> RouteReply {
        page(404, "This link leads nowhere yet", "<p>Its owner has said from when on it does.</p>")
    }

    static func barred(_ why: String) -> RouteReply {
        page(403, "This link is not followed", "<p>\(escaped(why)).</p>")
    }

    /// Where a link leads, for who wants to know before.
    static func preview(_ url: String, _ title: String) -> RouteReply {
        page(
            200, title.isEmpty ? "Where this link leads" : escaped(title),
            #"<p><a rel="noreferrer" href="\#(escaped(url))">\#(escaped(url))</a></p>"#)
    }

    static func password(_ code: String, isWrong: Bool) -> RouteReply {
        var reply = page(
            isWrong ? 403 : 200, "This link has a password",
            """
            <form class="fields" method="post" action="/l/\(escaped(code))">
            \(isWrong ? "<p class=\"error\" role=\"alert\">It is another one.</p>" : "")
            <label class="field">Password <input type="password" name="password" required autofocus></label>
            <button>Go on</button>
            </form>
            """)
        // A browser holds that a form may lead to nowhere else also where the answer to it leads elsewhere.
        reply.fields.append(
            NamedText(
                "Content-Security-Policy",
                "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' http: https:; base-uri 'none'; "
                    + "frame-ancestors 'none'"
            ))
        return reply
    }

    private static func page(_ status: Int, _ title: String, _ body: String) -> RouteReply {
        .html(
            """
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="robots" content="noindex">
            <title>\(title)</title>
            <link rel="icon" href="/ui/assets/icon.svg">
            <link rel="stylesheet" href="/ui/assets/style.css">
            <main>
            <h1>\(title)</h1>
            \(body)
            </main>

            """, status: status)
    }

    /// As HTML, on one line: what shows nothing or turns the text around it is written as an escape.
    static func escaped(_ text: String) -> String {
        Shown.text(text).replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
    }
}
