import Foundation
import TestSupport
import Testing

/// What docs/pages.md shows. `MILLRACE_WRITE_PICTURES=1 swift test --filter PictureTests` takes the pictures anew.
@Suite("Pictures", .serialized, .timeLimit(.minutes(10)), .enabled(if: Browser.isThere, Browser.missing))
struct PictureTests {
    private static let folder = Bus.package + "/docs/pictures/pages"
    /// Each page, the width of its picture, and whether it is looked at by night.
    private static let pages: [(name: String, path: String, width: Int, isDark: Bool)] = [
        ("overview", "/ui", 1440, false), ("overview-360", "/ui", 360, true),
        ("tickets", "/ui/domains/tickets?event=gala&holder=ann", 1440, false),
        ("tickets-360", "/ui/domains/tickets?event=gala&holder=ann", 360, true),
        ("social", "/ui/domains/social?user=ben", 1440, true), ("orders", "/ui/domains/orders?order=o1", 1440, false),
        ("orders-360", "/ui/domains/orders?order=o1", 360, false),
        ("rides", "/ui/domains/rides", 1440, true), ("hits", "/ui/domains/hits", 1440, false),
        ("view", "/ui/views/tickets.seats?event=gala&status=held", 1440, false),
        ("topic", "/ui/topics/tickets.events", 1440, true), ("command", "/ui/commands/HoldSeats", 1440, false),
    ]
    private static var isWriting: Bool { ProcessInfo.processInfo.environment["MILLRACE_WRITE_PICTURES"] == "1" }

    /// A bus on which each page has something to show.
    private func stage(_ web: Web, _ bus: Bus) async throws {
        func rows(_ labels: String, _ count: Int) -> String {
            labels.map { #"{"label":"\#($0)","seats":\#(count)}"# }.joined(separator: ",")
        }
        let sections = """
            [{"name":"circle","rows":[\(rows("AB", 12))],"price":{"amount":9000,"currency":"EUR"}},\
            {"name":"stalls","rows":[\(rows("ABCDEF", 16))],"price":{"amount":4500,"currency":"EUR"}}]
            """
        _ = try await web.send(
            "ListEvent",
            #"{"event":"gala","title":"New Year Gala","venue":"Opera","startsAt":"2030-12-31T19:30:00Z","sections":\#(sections)}"#
        )
        try await eventually("the sections to open") {
            try await web.get("/views/tickets.sections?event=gala").json["rows"].array.count == 2 ? true : nil
        }
        for (hold, holder, section, seats) in [
            ("h1", "ann", "stalls", ["C-7", "C-8"]), ("h2", "ben", "stalls", ["A-1", "A-2", "A-3"]),
            ("h3", "eve", "circle", ["A-5", "A-6"]), ("h4", "kim", "stalls", ["B-8", "B-9"]),
        ] {
            let names = seats.map { "\"\($0)\"" }.joined(separator: ",")
            _ = try await web.send(
                "HoldSeats",
                #"{"event":"gala","section":"\#(section)","hold":"\#(hold)","holder":"\#(holder)","seats":[\#(names)]}"#
            )
        }
        for (hold, holder, section) in [("h3", "eve", "circle"), ("h4", "kim", "stalls")] {
            _ = try await web.send(
                "ConfirmPurchase",
                #"{"event":"gala","section":"\#(section)","hold":"\#(hold)","holder":"\#(holder)","paymentToken":"tok"}"#
            )
        }
        _ = try await web.send("Follow", #"{"user":"ben","followee":"ann"}"#)
        for (user, text) in [
            ("ann", "Tosca tonight, and the whole house is on its feet #opera"),
            ("ben", "Queueing for the gala #newyear"),
            ("ann", "Thank you @ben for the ticket! #opera #newyear"), ("kim", "Who has a spare seat? @ben #opera"),
        ] { _ = try await web.send("PostTweet", #"{"user":"\#(user)","text":"\#(text)"}"#) }
        _ = try await web.send("PlaceOrder", #"{"order":"o1","customer":"ann"}"#)
        _ = try await web.send("AssignCourier", #"{"order":"o1","courier":"ben"}"#)
        _ = try await web.send("MarkPickedUp", #"{"order":"o1"}"#)
        let now = Date()
        func lines(_ path: String, _ lines: [String]) async throws {
            let sent = try await web.ask(
                "POST", "/events/\(path)", lines.joined(separator: "\n"), "Content-Type: application/x-ndjson")
            #expect(sent.status == 200, "\(sent)")
        }
        func time(_ ago: Double) -> String { now.addingTimeInterval(-ago).ISO8601Format() }
        let fleet = (0..<40).flatMap { taxi in
            (0..<6).map { step in
                let (x, y) = (Double(taxi * 37 % 41), Double(taxi * 53 % 43))
                return
                    #"{"@time":"\#(time(Double(20 - step * 4)))","driver":"taxi-\#(taxi)","lat":\#(40.73 + y * 0.0012 + (taxi % 2 == 0 ? Double(step) * 0.0005 : 0)),"lng":\#(-74.02 + x * 0.0018 + (taxi % 2 == 1 ? Double(step) * 0.0008 : 0))}"#
            }
        }
        try await lines("DriverLocation", fleet)
        let hits = (0..<300).flatMap { second in
            let count = Int(9 + 6 * sin(Double(second) / 23) + 3 * sin(Double(second) / 5))
            return (0..<count).map { #"{"@time":"\#(time(Double(299 - second)))","site":"home","path":"/\#($0)"}"# }
        }
        try await lines("Hit", hits)
        try await bus.settle()
    }

    @Test func `each page has a picture of what it shows`() async throws {
        if Self.isWriting {
            try FileManager.default.createDirectory(atPath: Self.folder, withIntermediateDirectories: true)
        }
        try await onPages { bus, web, browser in
            try await stage(web, bus)
            for page in Self.pages {
                try await browser.look(width: page.width, isDark: page.isDark)
                try await browser.go(web.base + page.path)
                // What a page asks for at first has come when nothing more was asked for a while.
                try await browser.wait(
                    "\(page.name) to be complete",
                    "document.readyState === 'complete' && performance.now() - Math.max(0, ...performance.getEntriesByType('resource').map(e => e.responseEnd)) > 400"
                )
                try await browser.wait(
                    "the taxis", "!document.querySelector('#taxis') || document.querySelector('circle.taxi')")
                let size = try await browser.run(
                    "return [document.documentElement.scrollHeight, document.documentElement.scrollWidth]")
                #expect(size[1].int <= page.width, "\(page.name) is \(size[1].int) wide")
                try await browser.look(width: page.width, height: min(size[0].int, 2000), isDark: page.isDark)
                let picture = try await browser.picture()
                #expect(picture.count > 5000, "\(page.name) is empty")
                if Self.isWriting { try await write(picture, page.name, bus) }
            }
            #expect(try await browser.complaints() == [])
        }
    }

    /// With few colours, where there is what makes them few: `apt-get install pngquant`.
    private func write(_ picture: Data, _ name: String, _ bus: Bus) async throws {
        let file = "\(Self.folder)/\(name).png"
        try picture.write(to: URL(fileURLWithPath: file))
        let program = "/usr/bin/pngquant"
        guard FileManager.default.isExecutableFile(atPath: program) else { return }
        let made = try await bus.plain(["--force", "--strip", "--output", file, "64", file], program: program)
        #expect(made.exit == 0, "\(made)")
    }

    @Test func `the pictures of the documents are there, and small together`() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder).filter { $0.hasSuffix(".png") }
        #expect(Set(files) == Set(Self.pages.map { "\($0.name).png" }))
        let sizes = try files.map {
            try FileManager.default.attributesOfItem(atPath: "\(Self.folder)/\($0)")[.size] as? Int ?? 0
        }
        #expect(sizes.reduce(0, +) < 1_500_000)
        let page = try String(contentsOfFile: Bus.package + "/docs/pages.md", encoding: .utf8)
        for file in files { #expect(page.contains("](pictures/pages/\(file))"), "\(file)") }
    }
}
