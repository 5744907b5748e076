import Testing

@testable import MillraceGateway

@Suite("HTML")
struct HTMLTests {
    @Test(arguments: [
        ("<script>", "&lt;script&gt;"), ("a & b", "a &amp; b"), (#"" onload="x"#, "&quot; onload=&quot;x"),
        ("it's", "it&#39;s"), ("&lt;", "&amp;lt;"), ("a\0b", "a\u{fffd}b"), ("שלום", "שלום"),
        // A mark behind it makes one character of both.
        ("<\u{338}b>", "&lt;\u{338}b&gt;"), ("\"\u{301}", "&quot;\u{301}"),
    ])
    func `text is escaped, whatever it is`(text: String, escaped: String) {
        #expect(HTML(text).markup == escaped)
        let element = HTML.tag("p", .set("title", text)) { text }
        #expect(element.markup == "<p title=\"\(escaped)\">\(escaped)</p>")
    }

    @Test func `what turns the text around it is an escape in cells`() {
        let cell = PageParts.cell("a\u{202e}b\u{200b}c \u{1f468}\u{200d}\u{1f469}").markup
        #expect(cell.contains("a\\u{202e}b\\u{200b}c \u{1f468}\u{200d}\u{1f469}"))
    }

    @Test func `elements, loops and choices make what they say`() {
        let (shown, hidden) = (true, false)
        let html = HTML.tag("ul", .id("a"), .flag("hidden", hidden), .flag("data-live", shown)) {
            for name in ["x", "<y>"] { HTML.tag("li") { name } }
            if shown { HTML.tag("li") { "shown" } } else { HTML.tag("li") { "not" } }
            if hidden { HTML.tag("li") { "hidden" } }
            HTML.tag("br")
        }
        #expect(
            html.markup == "<ul id=\"a\" data-live><li>x</li><li>&lt;y&gt;</li><li>shown</li><br></ul>")
    }

    @Test(arguments: [
        ("javascript:alert(1)", "/ui/javascript%3Aalert%281%29"), ("//other.example", "/ui/%2F%2Fother.example"),
        ("a b&c=d\"", "/ui/a%20b%26c%3Dd%22"), ("é", "/ui/%C3%A9"), ("\n", "/ui/%0A"),
    ])
    func `an address leads to this gateway alone`(piece: String, path: String) {
        #expect(Link(["ui", piece]).text == path)
        #expect(Link(["ui"], [("n", piece)]).text == "/ui?n=" + path.dropFirst(4))
        #expect(HTML.tag("a", .href(Link(["ui", piece]))) { "x" }.markup == "<a href=\"\(path)\">x</a>")
    }

    @Test func `what it was given is read from an address again`() throws {
        let text = "a b+c%2F&d=é\"<>'#?"
        let target = try RequestTarget(Link(["ui", text], [("n", text)]).text)
        #expect(target.path == ["ui", text] && target.parameters.map(\.value) == [text])
    }
}

@Suite("Paths of pages")
struct PagePathTests {
    @Test func `a page is found by its path and method`() throws {
        #expect(try Endpoint.find("GET", ["ui"]) == .page(.overview))
        #expect(try Endpoint.find("HEAD", ["ui", "views", "a.b"]) == .page(.view("a.b")))
        #expect(try Endpoint.find("GET", ["ui", "commands", "A"]) == .page(.command("A")))
        #expect(try Endpoint.find("POST", ["ui", "commands", "A"]) == .page(.send("A")))
        #expect(
            try Endpoint.find("GET", ["ui", "domains", "a", "page.js"]) == .page(.file(domain: "a", name: "page.js")))
        #expect(Endpoint.methods(at: ["ui", "commands", "A"]) == ["GET", "HEAD", "POST", "OPTIONS"])
    }

    @Test(arguments: [["ui", "a"], ["ui", "a", "b"], ["ui", "views"], ["ui", "domains", "a", "b", "c"]])
    func `what is none is not found`(_ path: [String]) {
        #expect { try Endpoint.find("GET", path) } throws: { ($0 as? Problem)?.status == .notFound }
    }

    @Test(arguments: [
        PagePath.overview, .domain("a"), .topic("a.b"), .view("a.b"), .command("A"), .latest, .asset("a.css"),
        .file(domain: "a", name: "page.js"),
    ])
    func `a link to it leads to it`(_ path: PagePath) throws {
        #expect(try Endpoint.find("GET", RequestTarget(path.link().text).path) == .page(path))
    }
}
