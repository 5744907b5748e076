import CSVText
import DomainTesting
import EventModel
import Foundation
import SwiftProtobuf
import Testing

@testable import LinksDomain

/// What happened is the same whether it was produced as it happened, imported in the order of time, or imported in any order;
/// so is what it was at every moment.
@Suite("A history of clicks, told in several ways")
struct LinksHistoryTests {
    @Test(arguments: [1, 20_261_129, 0xfee] as [UInt64])
    func `of clicks gives the same rows`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let table = try CSVHeader(
            ArraySlice("code,time,referrer,country,device,visitor".utf8), needed: [["code"], ["time"]],
            optional: [["referrer"], ["country"], ["device"], ["visitor"], ["user_agent"]])
        let history = try (0..<400).map { number in
            let time = noon + .seconds(number * 37)
            let (code, visitor) = ("c\(random.number(1...3))", "v\(random.number(1...30))")
            let (country, device) = (random.one(of: ["DE", "FR", ""]), random.one(of: ["mobile", "desktop", "bot"]))
            let referrer = random.one(of: ["", "news.example"])
            let line = "\(code),\(time.rfc3339),\(referrer),\(country),\(device),\(visitor)"
            let json: [String: Any] = [
                "code": code, "visitor": visitor, "country": country, "device": device.uppercased(),
                "referrer": referrer,
            ]
            return Told(
                time: time, json: json, imported: try ImportedClick.click(table.row(ArraySlice(line.utf8))))
        }
        // The view of clicks alone.
        let clicks = Domain("links", "Clicks.", descriptor: linksDescriptor)
            .observing(Clicks.self, topic: "links.clicks", key: "code#salt").projecting(ClickCounts.self)
        try expectSame(history, clicks, "links.clicks", kind: "LinkClicked", seed: seed)
    }
}

@Suite("Importers of links")
struct LinksImportersTests {
    @Test func `read clicks as bit.ly published them`() throws {
        let line =
            #"{"a":"Mozilla/5.0 (iPhone; U) Mobile","c":"US","nk":0,"tz":"America/New_York","gr":"NY","g":"15r91","h":"10OBm3W","l":"bitly","hh":"j.mp","r":"http://t.co/abc","u":"http://example.com/","t":1368832205,"hc":1365701422,"cy":"X","ll":[40.7,-73.9]}"#
        let record = try #require(try ImportedClick.click(json: ArraySlice(line.utf8)))
        guard case .linkClicked(let click)? = try LinksClicks.kind(in: record.value) else {
            return #expect(Bool(false))
        }
        #expect(click.code == "10OBm3W" && click.country == "US" && click.device == .mobile && click.referrer == "t.co")
        #expect(click.visitor.isEmpty && record.timestamp == Timestamp(1_368_832_205_000))
        #expect(try ImportedClick.click(json: ArraySlice(#"{"_heartbeat_":1368832205}"#.utf8)) == nil)
        for bad in ["x", "[]", #"{"h":"a"}"#, #"{"t":1}"#, #"{"h":"a b","t":1}"#, #"{"h":"a","t":-1}"#] {
            #expect(throws: Malformed.self) { try ImportedClick.click(json: ArraySlice(bad.utf8)) }
        }
    }

    @Test func `take what was exported, links with aliases and terms, clicks with times`() throws {
        let hash = "$scrypt$ln=14,r=8,p=1$NkwLPItRAgslsy8e3S5FCA$ithciERxa7JJNAiZHpJbbThE9uu5u5sUmr0SsJALcvo"
        let lines = [
            "code,owner,url,title,tags,passwordHash,clickLimit,activeFrom,activeUntil,stage,alias,createdAt,changedAt",
            "talk,ann,https://example.com/t,T,\"a b,c\",\"\(hash)\",2,,2026-12-31T00:00:00Z,active,1,2026-12-01T02:49:33.521Z,",
            "cTTL7p,ann,https://example.com/d,,,,0,,,active,0,2026-12-01T02:49:33.540Z,",
            "gone,ann,https://example.com/g,,,,0,,,deleted,1,2026-12-01T02:49:33.540Z,",
        ].map { ArraySlice($0.utf8) }
        let table = try CSVHeader(lines[0], needed: ImportedLink.needed, optional: ImportedLink.optional)
        let rows = try lines.dropFirst().map { try table.row($0) }
        #expect(rows.map { ImportedLink.hasEnded($0) } == [false, false, true])
        let alias = try ImportedLink.command(rows[0], owner: nil)
        #expect(alias.type == "ClaimAlias" && alias.key == "alias:talk")
        #expect(alias.time == Timestamp(rfc3339: "2026-12-01T02:49:33.521Z"))
        guard case .claimAlias(let claim)? = try LinksCommand.kind(in: alias.value) else {
            return #expect(Bool(false))
        }
        let terms = Terms(claim.terms)
        #expect(claim.alias == "talk" && terms.title == "T" && terms.passwordHash == hash)
        #expect(terms.tags == ["a b", "c"])
        #expect(terms.clickLimit == 2 && terms.from == nil && terms.until == Timestamp(rfc3339: "2026-12-31T00:00:00Z"))
        #expect(try ImportedLink.command(rows[1], owner: nil).type == "ShortenUrl")

        let line =
            #"{"topic":"links.clicks","partition":0,"offset":0,"timestamp":"2026-12-01T02:49:33.552Z","key":"talk#3","type":"LinkClicked","event":{"code":"talk","visitor":"85d9","referrer":"news.example","country":"DE","device":"DESKTOP"}}"#
        let record = try #require(try ImportedClick.click(json: ArraySlice(line.utf8)))
        guard case .linkClicked(let click)? = try LinksClicks.kind(in: record.value) else {
            return #expect(Bool(false))
        }
        #expect(click.code == "talk" && click.visitor == "85d9" && click.referrer == "news.example")
        #expect(click.country == "DE" && click.device == .desktop)
        #expect(record.timestamp == Timestamp(rfc3339: "2026-12-01T02:49:33.552Z"))
        for bad in [#"{"event":{"code":"a"}}"#, #"{"event":{},"timestamp":"2026-12-01T00:00:00Z"}"#] {
            #expect(throws: Malformed.self) { try ImportedClick.click(json: ArraySlice(bad.utf8)) }
        }
    }

    @Test func `make of a row the command that makes its link, with one id`() throws {
        let table = try CSVHeader(
            ArraySlice("Link,author,keyword,title,created".utf8), needed: [["url", "link"]],
            optional: [["owner", "author"], ["alias", "keyword"], ["title"], ["tags"], ["created_at", "created"]])
        let row = try table.row(ArraySlice("http://Example.com,ann,,A title,2016-01-01 10:00:00".utf8))
        let command = try ImportedLink.command(row, owner: nil)
        #expect(command.type == "ShortenUrl" && command.time == Timestamp(rfc3339: "2016-01-01T10:00:00Z"))
        #expect(try command == ImportedLink.command(row, owner: "ben"))
        // What another row says of the same link is refused by its own reason, not because an id was used.
        let other = try table.row(ArraySlice("http://Example.com,ann,,Another title,2016-01-01 10:00:00".utf8))
        #expect(try ImportedLink.command(other, owner: nil).id != command.id)
        let alias = try ImportedLink.command(table.row(ArraySlice("http://example.com,,talk,,".utf8)), owner: "ben")
        #expect(alias.type == "ClaimAlias" && alias.key == "alias:talk" && alias.id != command.id)
        #expect(throws: Malformed.self) {
            try ImportedLink.command(table.row(ArraySlice("http://example.com,,,,".utf8)), owner: nil)
        }
        #expect(throws: Malformed.self) {
            try ImportedLink.command(table.row(ArraySlice("mailto:a@b.c,ann,,,".utf8)), owner: nil)
        }
    }
}

@Suite("A QR code")
struct QRCodeTests {
    /// Read by zbar 0.23 from the picture, as all of this length, of 22 and of 120 bytes.
    @Test func `is the one that was read`() throws {
        let code = try #require(QRCode("http://sho.rt/l/aB3dE6"))
        let bits = code.dark.map { row in row.map { $0 ? "#" : "." }.joined() }.joined(separator: "\n")
        #expect(code.size == 25 && FNV1a(bits).value == QRCodeTests.known, "\(FNV1a(bits).value)\n\(bits)")
    }
    private static let known: UInt64 = 12290120019780442869
}
