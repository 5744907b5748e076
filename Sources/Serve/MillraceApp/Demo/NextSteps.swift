internal import EventModel
internal import Foundation
internal import MillraceBus
internal import MillraceGateway

/// What to do after a demo: lines that a shell runs as they stand, one after the other.
struct NextSteps {
    let app: Application
    let domains: [Domain]
    let place: DemoPlace

    var text: String {
        var lines: [String] = []
        let config = place.places.kafkaConfig.map { " --kafka-config \(Self.quoted($0))" } ?? ""
        if place.isRemoved {
            // Its folder is gone: another one plays on a log that stays.
            let only = Demo.isAll(domains, of: app) ? "" : " --only \(domains.map(\.name).joined(separator: ","))"
            lines += [
                "export MILLRACE_LOG=local:$(mktemp -d)",
                "\(Self.program) demo --log \"$MILLRACE_LOG\" --seconds 3\(only)",
            ]
        } else {
            lines.append("export MILLRACE_LOG=\(Self.quoted(place.log))")
            if place.folder == nil, let views = place.places.viewsURL {
                lines.append("export MILLRACE_VIEWS=\(Self.quoted(views))")
            }
        }
        let tries = domains.flatMap { $0.demonstration?.tries ?? [] }
        lines.append("\(Self.program) up\(config) &")
        lines += tries.map { "\(Self.program) \($0)\(config)" }
        lines += ["kill $!", "\(Self.program) views"]
        let pages = "\nPAGES: http://\(GatewayAddress.standard) shows it in a browser while \(Program.name) up runs\n"
        return pages + "\nNEXT: these lines can be pasted into a shell\n\n" + lines.map { "  \($0)\n" }.joined()
    }

    /// The program as it was started, or its name alone where the shell finds it by that.
    static let program: String = {
        let started = CommandLine.arguments.first ?? Program.name
        let name = (started as NSString).lastPathComponent
        if !started.contains("/") { return quoted(started) }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let found = path.split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        let real = { (path: String) in URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
        return quoted(found.map(real) == real(started) ? name : started)
    }()

    /// A word that the shell takes as it is.
    private static func quoted(_ word: String) -> String {
        let isPlain = word.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "-")...UInt8(ascii: ":")).contains(byte) || byte == UInt8(ascii: "_")
        }
        return isPlain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }
}
