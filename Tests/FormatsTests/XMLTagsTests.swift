import EventModel
import Testing
import XMLText

@Suite("Tags of XML, line by line")
struct XMLTagsTests {
    private func parts(_ lines: [String]) throws -> [XMLTags.Part] {
        var tags = XMLTags()
        return try lines.flatMap { try tags.take(ArraySlice($0.utf8)) }
    }

    /// Texts that follow one another as one, without spaces and line feeds, of which one stands where a line ended.
    private func joined(_ parts: [XMLTags.Part]) -> [XMLTags.Part] {
        var all: [XMLTags.Part] = []
        for part in parts {
            guard case .text(let text) = part else {
                all.append(part)
                continue
            }
            let plain = text.filter { $0 != 0x0a && $0 != 0x20 }
            if case .text(let before)? = all.last {
                all[all.count - 1] = .text(before + plain)
            } else {
                all.append(.text(plain))
            }
        }
        return all.filter { $0 != .text([]) }
    }

    @Test func `are the same wherever lines break between their words`() throws {
        let words = [
            "<!DOCTYPE", "gpx", ">", "<gpx", "a='>'", "b=\"<!--\"", ">", "<!--", "<trk>", "--", "-->", "<![CDATA[",
            "<x>", "]]", "]]>", "<?p", "?", "?>", "<name>", "a", "&amp;", "</name>", "<e", "/>", "</gpx>",
        ]
        let whole = try joined(parts([words.joined(separator: " ")]))
        #expect(whole.contains(.open("gpx", ["a": ">", "b": "<!--"])) && whole.contains(.close("e")))
        for at in 1..<words.count {
            let lines = [words[..<at], words[at...]].map { $0.joined(separator: " ") }
            #expect(try joined(parts(lines)) == whole, "\(lines)")
        }
    }

    @Test(.timeLimit(.minutes(10)), arguments: ["<!-- x", "<a b='", "<?x", "<!DOCTYPE x"])
    func `what is never closed is looked through once, and told`(_ begin: String) throws {
        var (tags, told) = (XMLTags(), 0)
        for number in 0..<200_000 {
            do {
                _ = try tags.take(ArraySlice((number == 0 ? begin : "<!-- x").utf8))
            } catch {
                told += 1
                #expect(error.message.contains("over \(XMLTags.longest) bytes"))
            }
        }
        #expect(told > 10)
    }
}
