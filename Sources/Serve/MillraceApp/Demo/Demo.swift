internal import ArgumentParser
internal import EventModel
internal import MillraceBus

/// `millrace demo`.
struct Demo: AppCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "demo",
            abstract: "Let made-up people use the domains for some seconds, and see what came of it.",
            paragraphs: """
                They do what each domain declares of itself, from one seed, through the real
                workers, all in this process. Then come tables of what that made, each with a
                sentence on what it proves, records that are read again, and a view as it was
                three seconds before the end.

                It runs on a fresh log in a temporary folder, which is removed at the end.
                --keep keeps the folder. --log plays on another log and leaves there what it
                did. Without --log, MILLRACE_LOG and MILLRACE_VIEWS are not looked at: a demo
                comes to a log of yours only if you say so.

                Ctrl-C ends it at once: nothing is shown, the folder is removed, and the exit
                code is 75.

                Examples:
                  \(Program.name) demo
                  \(Program.name) demo --seconds 20 --size 200
                  \(Program.name) demo --log local:/tmp/city
                """)
    }
    @Option(
        help: ArgumentHelp(
            "Only these domains, joined by commas (default: all that show something).", valueName: "domains"),
        completion: .names)
    var only: [String] = []
    @Option(help: ArgumentHelp("How long people are active.", valueName: "n"))
    var seconds = 6
    @Option(help: ArgumentHelp("The same one makes the same choices.", valueName: "n"))
    var seed: UInt64 = 20
    @Option(
        name: [.long, .customLong("fans")],
        help: ArgumentHelp("How many people use a domain at once, or in proportion.", valueName: "n"))
    var size = 40
    @OptionGroup var at: DemoOptions

    func validate() throws {
        if !(1...3600).contains(seconds) { throw ValidationError("--seconds must be 1 to 3600") }
        if !(1...5000).contains(size) { throw ValidationError("--size must be 1 to 5000") }
    }

    func run(in app: Application) async throws {
        let domains = try Self.chosen(only, of: app.domains)
        let place = try at.place()
        defer { place.clear() }
        let stop = try InputStop()
        try await stop.atSignals {
            let names = domains.map(\.name).joined(separator: ", ")
            try Output.standard.line(
                """
                Millrace demo: \(names) for \(seconds) s, size \(size), seed \(seed)
                The log is \(place.log)\(place.isRemoved ? ", until this ends" : "")
                """)
            let run = DemoRun(
                app: app, domains: domains, place: place, size: size, seed: seed, length: .seconds(seconds))
            let played = try await run.play(until: stop)
            try await DemoReport(app: app, domains: domains, place: place, played: played, stop: stop).show()
        }
    }

    /// The domains of these names, in the order of all; without a name, all that demonstrate themselves.
    static func chosen(_ only: [String], of domains: [Domain]) throws -> [Domain] {
        let all = domains.filter { $0.demonstration != nil }
        let names = only.flatMap { $0.split(separator: ",").map(String.init) }
        if all.isEmpty { throw Failure(.usage, "none of the domains demonstrates itself") }
        if only.isEmpty { return all }
        for name in names where !all.contains(where: { $0.name == name }) {
            throw Unknown.failure("demonstration of", name, among: all.map(\.name), shownBy: nil)
        }
        if names.isEmpty {
            throw Failure(.usage, "--only names no domain; there are \(all.map(\.name).joined(separator: ", "))")
        }
        return all.filter { names.contains($0.name) }
    }
}

extension Demo {
    /// Whether these are all that demonstrate themselves.
    static func isAll(_ domains: [Domain], of app: Application) -> Bool {
        domains.count == app.domains.count { $0.demonstration != nil }
    }
}

extension InputStop {
    /// Throws where a signal came.
    func check() throws {
        if let why { throw Failure(.tryAgain, "\(why): nothing is shown of a demo that was cut short") }
    }
}
