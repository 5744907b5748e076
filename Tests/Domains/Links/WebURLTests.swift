import EventModel
import Foundation
import TestSupport
import Testing

@testable import LinksDomain

@Suite("A URL as browsers read it")
struct WebURLTests {
    /// Cases of the standard's tests (web-platform-tests, url/resources/urltestdata.json), and of bugs of other shorteners.
    @Test(arguments: [
        ("https://example.com", "https://example.com/"), ("HTTP://EXAMPLE.com/A", "http://example.com/A"),
        ("  https://example.com/a b ", "https://example.com/a%20b"), ("http:example.com", "http://example.com/"),
        ("http:\\\\example.com\\a\\..\\b", "http://example.com/b"),
        ("https:////example.com//a", "https://example.com//a"),
        ("https://exam\tple.com/\n", "https://example.com/"), ("https://example.com:443/", "https://example.com/"),
        ("http://example.com:0080/", "http://example.com/"), ("http://example.com:8080", "http://example.com:8080/"),
        ("https://example.com:", "https://example.com/"), ("https://example.com?q", "https://example.com/?q"),
        ("https://example.com/?", "https://example.com/?"), ("https://example.com#f g", "https://example.com/#f%20g"),
        ("https://example.com/a/./b/../c", "https://example.com/a/c"),
        ("https://example.com/a/..", "https://example.com/"),
        ("https://example.com/../../a", "https://example.com/a"),
        ("https://example.com/%2e%2E/a", "https://example.com/a"),
        ("https://example.com/a%2Fb%zz", "https://example.com/a%2Fb%zz"),
        ("https://example.com/ü?ü#ü", "https://example.com/%C3%BC?%C3%BC#%C3%BC"),
        ("https://example.com/?a='b'&c=\"d\"", "https://example.com/?a=%27b%27&c=%22d%22"),
        ("https://example.com/{a}|b^", "https://example.com/%7Ba%7D|b%5E"),
        ("https://%65xample.com/", "https://example.com/"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://BÜCHER.example/", "https://xn--bcher-kva.example/"),
        ("https://XN--BCHER-KVA.example/", "https://xn--bcher-kva.example/"),
        ("https://例え.jp/", "https://xn--r8jz45g.jp/"), ("https://faß.de/", "https://xn--fa-hia.de/"),
        ("https://ｅｘａｍｐｌｅ.com/", "https://example.com/"), ("https://example。com/", "https://example.com/"),
        ("http://0x7f.1/", "http://127.0.0.1/"), ("http://2130706433/", "http://127.0.0.1/"),
        ("http://0177.0.0.01/", "http://127.0.0.1/"),
        ("http://192.168.257/", "http://192.168.1.1/"), ("http://[::1]/", "http://[::1]/"),
        ("http://[2001:DB8:0:0:1:0:0:1]:81/", "http://[2001:db8::1:0:0:1]:81/"),
        ("http://[::ffff:1.2.3.4]/", "http://[::ffff:102:304]/"),
        ("https://example.com./", "https://example.com./"), ("https://a_b.example/", "https://a_b.example/"),
        ("https://google.com\\@evil.example/x", "https://google.com/@evil.example/x"),
        ("https://example.com/a?b#c?d#e", "https://example.com/a?b#c?d#e"),
        ("https://example.com/a//b/", "https://example.com/a//b/"),
    ])
    func `is written in one way`(_ text: String, _ expected: String) throws {
        #expect(try WebURL(text).text == expected)
        #expect(try WebURL(expected).text == expected)
    }

    @Test(arguments: [
        ("javascript:alert(1)", "scheme javascript"), ("JavaScript:alert(1)", "scheme javascript"),
        ("java\nscript:alert(1)", "scheme javascript"),
        ("data:text/html,x", "scheme data"), ("ftp://example.com/", "scheme ftp"),
        ("file:///etc/passwd", "scheme file"),
        ("mailto:a@b.c", "scheme mailto"), ("vbscript:x", "scheme vbscript"), ("example.com", "does not begin"),
        ("//example.com", "does not begin"),
        ("", "missing"), ("   ", "missing"), ("https://", "no host"), ("https://?a", "no host"),
        ("https://:80", "no host"),
        ("https://user@example.com/", "a name or a password"),
        ("https://google.com:pw@evil.example/", "a name or a password"), ("https://example.com:99999/", "port 99999"),
        ("https://example.com:8a/", "port 8a"),
        ("https://exa mple.com/", "a character"), ("https://exa%00mple.com/", "a character"),
        ("https://a..b/", "empty or too long"),
        ("https://256.1.1.1/", "no address of IPv4"), ("https://1.2.3.4.5/", "no address of IPv4"),
        ("https://0xg.1/", "no address"),
        ("https://[::1/", "none of IPv6"), ("https://[1::2::3]/", "none of IPv6"),
        ("https://[fe80::1%eth0]/", "none of IPv6"),
        // Nothing, no digits, letters that need no encoding, large ones that have small, and a number beyond all characters.
        ("https://xn--/", "encodes no name"), ("https://xn--a-/", "encodes no name"),
        ("https://xn--ab-.example/", "encodes no name"), ("https://xn--bcher-2pa.example/", "encodes no name"),
        ("https://xn--99999999.example/", "encodes no name"), ("https://xn--%62ber!.example/", "encodes no name"),
        ("https://a<b>/", "a character"), ("https://%zz/", "no name of a domain"),
    ])
    func `that is none, leads elsewhere or hides where, is refused`(_ text: String, _ words: String) {
        #expect { try WebURL(text) } throws: { error in
            (error as? Malformed).map { $0.field == "url" && $0.message.contains(words) } ?? false
        }
    }

    @Test func `may be long, but not for ever`() throws {
        let most = "https://example.com/" + String(repeating: "a", count: LinksLimits.url - 20)
        #expect(try WebURL(most).text == most)
        #expect(throws: Malformed.self) { try WebURL(most + "a") }
        // What is escaped grows.
        #expect(throws: Malformed.self) { try WebURL("https://example.com/" + String(repeating: "ü", count: 3000)) }
    }

    /// What people have shortened: t.co's own links.
    @Test(
        .enabled(
            if: FileManager.default.fileExists(atPath: urls), "the URLs, ../shared/data/urls, are not on this machine"))
    func `of sixty thousand that were shortened is taken, and written in one way`() throws {
        let lines = try lines(of: urls)
        var refused: [String: Int] = [:]
        for line in stride(from: 0, to: lines.count, by: 8).map({ lines[$0] }) {
            guard let long = line.split(separator: "\t").last else { continue }
            do throws(Malformed) {
                let text = try WebURL(String(long)).text
                #expect(try WebURL(text).text == text, "\(long)")
            } catch {
                refused[error.why, default: 0] += 1
            }
        }
        print("of \(lines.count) URLs are refused: \(refused)")
        #expect(lines.count > 60_000 && refused.values.reduce(0, +) < 60, "\(refused)")
    }
}

private let urls = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
    "../../../../shared/data/urls/tco_expanded.tsv.gz"
).standardized.path

private func lines(of packed: String) throws -> [String] {
    String(decoding: try unpacked(packed), as: UTF8.self).split(separator: "\n").map(String.init)
}
