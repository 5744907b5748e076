internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import MillraceBus

/// `millrace import`: the importers of all domains.
struct Import: AppCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Import files of others, with their own times.",
        paragraphs: """
            The file is plain or gzip; - is standard input. How far it has been imported
            is kept on the log, in the same commit as its records: an import that was
            interrupted goes on where it stopped, the same file again changes nothing,
            and a file that has grown adds only what is new. Each importer has options
            of its own.
            """)
    @Argument(
        help: "What the file is; \(Program.name) import --help lists it.",
        completion: .names)
    var importer: String
    @Argument(
        parsing: .allUnrecognized, help: ArgumentHelp("The file, and --option value ...", valueName: "file"),
        completion: .file())
    var words: [String] = []
    @Option(help: ArgumentHelp("At a bad line: stop, or skip and count it.", valueName: "stop|skip"))
    var onError = OnError.skip
    @Option(
        help: ArgumentHelp(
            "How long to wait for a handler's next outcome, before the rest is left to be decided later (default: 3s).",
            valueName: "time"))
    var wait: String?
    @Flag(help: "Tell of each part of the input that is on the log, as a line of JSON.")
    var progress = false
    @OptionGroup var shape: OutputOptions
    @OptionGroup var places: LogAndViewOptions

    func run(in app: Application) async throws {
        let (domain, importer) = try app.catalogue.importer(self.importer)
        let flags = importer.parameters.filter { $0.kind == .flag }.map(\.name)
        let loose = try LooseOptions(words, flags: Set(flags.map(GeneratedHelp.option)))
        guard let file = loose.words.first else {
            throw Failure(.usage, "\(Program.name) import \(importer.name) needs a file, or - for standard input")
        }
        if loose.words.count > 1 { throw Failure(.usage, "\(loose.words[1]): one file at a time") }
        let values = try loose.values(of: importer.parameters, for: "import \(importer.name)", and: Self.optionNames)
        let decides = importer.topic == domain.commandsTopic
        if wait != nil && !decides {
            throw Failure(.usage, "--wait: nothing decides what import \(importer.name) writes")
        }
        guard let patience = Duration(short: wait ?? "3s") else {
            throw Failure(.usage, "--wait \(wait ?? "") is no time such as 3s or 500ms")
        }
        let name = InputBytes.isNamed(file) ? (file as NSString).lastPathComponent : nil
        let source = ImportSource(
            name: name, arguments: Arguments(values, now: now(), limit: 1, cursor: nil), now: { now() })
        let reader: ImportReader
        do throws(Malformed) {
            reader = try importer.open(source)
        } catch {
            throw Failure(.usage, error.message)
        }
        let job = FileImport(
            importer: importer, reader: reader, file: file, onError: onError, deciding: decides ? domain : nil,
            wait: patience)
        let stop = try InputStop(watchesOutput: progress)
        try await stop.atSignals {
            try await places.withLog(app) { try await job.run($0, until: stop, telling: progress) }.show(shape)
        }
    }
}
