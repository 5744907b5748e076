import DomainTesting
import EventModel
import Foundation
import Testing
import Yams

@testable import SocialDomain

/// The test cases of the library whose rules these are: github.com/twitter/twitter-text, folder conformance.
@Suite("twitter-text's own test cases", .enabled(if: Conformance.isHere, Conformance.absent))
struct TwitterTextTests {
    @Test func `texts have the length of its newest configuration, and are valid where it says so`() throws {
        // The older configuration does not know emoji: a sequence counts what its scalars count.
        let older: Set<String> = [
            "Count a mix of single byte single word, and double word unicode characters",
            "Count unicode emoji chars outside the basic multilingual plane with skin tone modifiers",
        ]
        for (section, count) in [
            ("WeightedTweetsCounterTest", 20), ("WeightedTweetsWithDiscountedEmojiCounterTest", 22),
            ("UnicodeDirectionalMarkerCounterTest", 2),
        ] {
            let cases = try Conformance.cases("validate", section)
            #expect(cases.count == count)
            var other: Set<String> = []
            for one in cases {
                let length = TweetText.length(of: one.text)
                let valid = TweetText.invalid(in: one.text) == nil && (1...TweetText.longest).contains(length)
                if length != one.measures["weightedLength"] as? Int || valid != one.measures["valid"] as? Bool {
                    other.insert(one.about)
                }
            }
            #expect(other == (section == "WeightedTweetsCounterTest" ? older : []), "\(section)")
        }
    }

    @Test func `links are found where it finds them, and count what a link counts`() throws {
        var (agreeing, other) = (0, Set<String>())
        let sections = [
            ("urls", 91), ("urls_with_indices", 10), ("urls_with_directional_markers", 2), ("tco_urls_with_params", 5),
        ]
        for (section, count) in sections {
            let cases = try Conformance.cases("extract", section)
            #expect(cases.count == count)
            for one in cases {
                let scalars = Array(one.text.unicodeScalars)
                let found = TweetText.links(in: scalars)
                let links = found.map { TweetText.string(scalars[$0]) }
                let expected = one.names("url")
                let isSame =
                    links == expected && one.places.map { $0 == found } ?? true
                    && TweetText.length(of: one.text) == length(one.text, links: expected)
                if isSame { agreeing += 1 } else { other.insert(one.about) }
            }
        }
        #expect(other == [], "what it finds otherwise")
        #expect(agreeing == 108)
    }

    /// What a text counts where each of these links counts 23.
    private func length(_ text: String, links: [String]) -> Int {
        var rest = text
        for link in links {
            if let range = rest.range(of: link) { rest.replaceSubrange(range, with: "") }
        }
        return TweetText.length(of: rest.replacingOccurrences(of: ".", with: "!")) + links.count * TweetText.linkLength
    }

    @Test func `links without a scheme are links under every top-level domain`() throws {
        let valid = try Conformance.cases("validate", "urls_without_protocol")
        #expect(valid.count == 5)
        for one in valid { #expect(links(one.text) == [one.text]) }
        for (section, count) in [("country", 315), ("generic", 1259)] {
            let cases = try Conformance.cases("tlds", section)
            #expect(cases.count == count)
            for one in cases { #expect(links(one.text) == one.names("url"), "\(one.about)") }
        }
    }

    private func links(_ text: String) -> [String] {
        let scalars = Array(text.unicodeScalars)
        return TweetText.links(in: scalars).map { TweetText.string(scalars[$0]) }
    }

    @Test func `hashtags are found where it finds them`() throws {
        for (section, count) in [("hashtags", 65), ("hashtags_from_astral", 3), ("hashtags_with_indices", 8)] {
            let cases = try Conformance.cases("extract", section)
            #expect(cases.count == count)
            for one in cases {
                let found = TweetText.hashtags(in: one.text)
                #expect(found.map(\.name) == one.names("hashtag"), "\(one.about)")
                if let places = one.places { #expect(found.map(\.range) == places, "\(one.about)") }
            }
        }
        let valid = try Conformance.cases("validate", "hashtags")
        #expect(valid.count == 7)
        for one in valid {
            let isWhole = TweetText.hashtags(in: one.text).first?.range == 0..<one.text.unicodeScalars.count
            #expect(isWhole == one.isValid, "\(one.about)")
        }
    }

    @Test func `mentions are found where it finds them`() throws {
        let sections = [
            ("mentions", 23), ("mentions_with_indices", 3), ("mentions_or_lists_with_indices", 5),
        ]
        for (section, count) in sections {
            let cases = try Conformance.cases("extract", section)
            #expect(cases.count == count)
            for one in cases {
                // user/list names a list, and is no mention here.
                let isList = one.lists
                let found = TweetText.mentions(in: one.text)
                let names = one.names("screen_name").enumerated().filter {
                    !(isList.indices.contains($0.offset) && isList[$0.offset])
                }
                #expect(found.map(\.name) == names.map(\.element), "\(one.about)")
                if let places = one.places {
                    #expect(found.map(\.range) == names.map { places[$0.offset] }, "\(one.about)")
                }
            }
        }
        let valid = try Conformance.cases("validate", "usernames")
        #expect(valid.count == 4)
        for one in valid {
            let isWhole = TweetText.mentions(in: one.text).first?.range == 0..<one.text.unicodeScalars.count
            #expect(isWhole == one.isValid, "\(one.about)")
        }
    }
}

/// The files of test cases, where the folder of data sets is beside the project.
private enum Conformance {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("shared/data/tweets/twitter_text").path
    static let isHere = FileManager.default.fileExists(atPath: folder)
    static let absent: Comment = "the folder of data sets, ../shared/data, is not beside the project"

    struct Case {
        let about: String
        let text: String
        private let expected: Any?

        init(_ yaml: [String: Any]) throws {
            about = try #require(yaml["description"] as? String)
            text = try #require(yaml["text"] as? String)
            expected = yaml["expected"]
        }

        var isValid: Bool? { expected as? Bool }
        var measures: [String: Any] { expected as? [String: Any] ?? [:] }
        private var things: [[String: Any]]? { expected as? [[String: Any]] }

        /// What is to be found: a list of texts, or of things with a text of that name.
        func names(_ name: String) -> [String] {
            things?.map { $0[name] as? String ?? "?" } ?? (expected as? [Any] ?? ["?"]).map { $0 as? String ?? "?" }
        }

        /// Where things stand, in code points.
        var places: [Range<Int>]? {
            guard let things, !things.isEmpty else { return nil }
            return things.map { thing in
                let ends = thing["indices"] as? [Int] ?? []
                return ends.count == 2 ? ends[0]..<ends[1] : -1..<0
            }
        }

        /// Whether a thing that was found names a list of a user, not the user.
        var lists: [Bool] { things?.map { $0["list_slug"] as? String ?? "" != "" } ?? [] }
    }

    static func cases(_ file: String, _ section: String) throws -> [Case] {
        let text = try String(contentsOfFile: "\(folder)/\(file).yml", encoding: .utf8)
        let all = try #require(try Yams.load(yaml: text) as? [String: Any])
        let tests = try #require(all["tests"] as? [String: Any])
        return try #require(tests[section] as? [[String: Any]]).map { try Case($0) }
    }
}
