import ArgumentParser
import EventModel
import Foundation
import MillraceTestKit

@testable import MillraceApp

/// Command lines that nobody would write, made of the program's own words: every command with some of its options, and
/// values that are real, extreme or nonsense.
struct ArgumentFuzz {
    /// A command that ends by itself: its words, and its flags and options by their long names.
    struct Command {
        var words: [String]
        var flags: [String]
        var options: [String]
        var positionals: Int
    }

    let commands: [Command]
    private var random: SeededRandom

    /// What there is, by the command whose words it may be: queries, topics, projections, events, commands, files.
    private let real: [String: [String]]
    /// What queries and commands may be told, by name: each with a value that would do, and whether it is needed.
    private let fields: [String: [Field]]

    struct Field {
        var name: String
        var example: String
        var needed: Bool
    }

    init(seed: UInt64, real: [String: [String]], fields: [String: [Field]]) throws {
        random = SeededRandom(seed)
        (self.real, self.fields) = (real, fields)
        commands = Self.commands(try Root.Dump.ofProgram(), [])
    }

    mutating func line(_ command: Command) -> [String] {
        var line = command.words
        let known = real[command.words[0]] ?? []
        for i in 0..<Int.random(in: 0...command.positionals, using: &random) {
            let isKnown = i == 0 && !known.isEmpty && Int.random(in: 0..<8, using: &random) > 0
            line.append(isKnown ? pick(known) : value(""))
        }
        let chosen = line.count > command.words.count ? fields[line[command.words.count]] ?? [] : []
        for field in chosen where field.needed ? odds(19, in: 20) : odds(1, in: 3) {
            line += ["--\(field.name)", odds(field.needed ? 9 : 1, in: 10) ? field.example : extreme()]
        }
        for flag in command.flags where Int.random(in: 0..<6, using: &random) == 0 { line.append("--\(flag)") }
        for option in command.options where Int.random(in: 0..<4, using: &random) == 0 {
            let value = value(option)
            line += Bool.random(using: &random) ? ["--\(option)=\(value)"] : ["--\(option)", value]
        }
        return line
    }

    private mutating func pick(_ words: [String]) -> String { words.randomElement(using: &random) ?? "" }

    private mutating func value(_ option: String) -> String {
        switch option {
        // What is waited for is not to last.
        case "timeout", "wait": return pick(["0s", "1ms", "0", "-1s", "", "soon", "1e3", "99999999999999999999"])
        case "rate": return pick(["0", "-1", "1000000", "x", "9223372036854775807"])
        case "from", "to", "as-of", "after", "at":
            if odds(5, in: 6) { return odds(1, in: 2) ? extreme() : pick(Self.places) }
        case "limit", "partition", "every": if odds(5, in: 6) { return pick(Self.numbers) }
        case "format", "key", "cursor", "id": if odds(5, in: 6) { return pick(Self.texts) }
        case "into", "type", "topic":
            if odds(5, in: 6) { return pick(real["verify", default: []] + real["replay", default: []]) }
        default: break
        }
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return pick(real[pick(real.keys.sorted())] ?? [])
        case 1: return pick(Self.places)
        case 2: return extreme()
        case 3: return pick(Self.numbers)
        case 4: return pick(Self.texts)
        default:
            var text = Array(pick(Self.places + Self.times).utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) where !text.isEmpty {
                text[Int.random(in: 0..<text.count, using: &random)] = UInt8.random(in: 0x20...0x7e, using: &random)
            }
            return String(decoding: text, as: UTF8.self)
        }
    }

    /// A number, or a time made of one.
    private mutating func extreme() -> String {
        if odds(1, in: 8) { return pick(Self.times) }
        let number = odds(2, in: 3) ? pick(Array(Self.numbers.prefix(2))) : pick(Self.numbers)
        let form = odds(2, in: 3) ? pick(Array(Self.forms.prefix(2))) : pick(Self.forms)
        return String(format: form, number as NSString)
    }

    private mutating func odds(_ count: Int, in all: Int) -> Bool { Int.random(in: 0..<all, using: &random) < count }

    static let numbers = [
        "9223372036854775807", "-9223372036854775808", "9223372036854775", "-9223372036854775", "9223372036854775808",
        "-9223372036854775809", "99999999999999999999", "0", "1", "-1", "-0", "007", "0x10", "1e308", "-1e308", "nan",
        "inf", "2147483648", "-2147483649", " 1", "1 ", "+1",
    ]
    /// Times that a number makes.
    static let forms = ["%@", "@%@", "@-%@ms", "@+%@ms", "@-%@d", "%@d", "%@ms", "-%@h", "first@%@"]
    static let times = [
        "@now", "now", "@", "@@", "@0000-00-00T00:00:00Z", "@0001-01-01T00:00:00Z", "@9999-12-31T23:59:59.999Z",
        "@-262144-01-01T00:00:00Z", "@+262143-12-31T23:59:59Z", "@2026-02-30T00:00:00Z", "2026-11-01T00:00:00+99:99",
        "2026-11-01T00:00:00Z", "1970-01-01T00:00:00Z", "@292278994-08-17T07:12:55.807Z",
    ]
    static let places =
        numbers.flatMap { ["hits.events/0@\($0)", "hits.events/\($0)@0", "orders.events/1@\($0)"] } + [
            "/@", "a/b@c", "hits.events@1", "hits.events/0", "hits.events/0@1@2", "start", "end", "+3", "-3", "+", "-",
        ]
    static let texts = [
        "", " ", "-", "--", "---", "=", "%", "%v%", "%j\\n", "\\", "\"", "{}", "[]", "null", "{\"a\":",
        "{\"@time\":1e99}", "é",
        "e\u{301}", "\u{202e}abc", "\u{fffe}", "👨‍👩‍👧‍👦", "a\nb", "a\tb", "\u{1b}[31m", "'; DROP TABLE topics; --",
        String(repeating: "a", count: 5000), String(repeating: "é", count: 600), "sqlite:", "local:", "file:x",
        "../../x",
    ]

    private static func commands(_ command: Root.Dump.Command, _ path: [String]) -> [Command] {
        // These run until they are told to stop.
        if ["up", "work", "demo", "help"].contains(path.first) || path.last == "serve" { return [] }
        let inner = (command.subcommands ?? []).flatMap { commands($0, path + [$0.commandName]) }
        if !inner.isEmpty { return inner }
        let all = command.arguments ?? []
        let named = { (kind: String) in
            all.filter { $0.kind == kind }.compactMap { $0.names?.first { $0.kind == "long" }?.name }
        }
        let elsewhere = ["log", "kafka-config", "views", "topics", "file", "follow", "help", "version"]
        return [
            Command(
                words: path, flags: named("flag").filter { !elsewhere.contains($0) },
                options: named("option").filter { !elsewhere.contains($0) },
                positionals: all.count { $0.kind == "positional" })
        ]
    }
}
