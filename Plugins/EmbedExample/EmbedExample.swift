import Foundation
import PackagePlugin

/// Writes the files of Examples/Likes into a Swift source, for `millrace new`: the example is the only copy of them.
@main
struct EmbedExample: BuildToolPlugin {
    /// In the order in which somebody reads them.
    private static let files = [
        "Package.swift", "Sources/LikesDomain/likes.proto", "Sources/LikesDomain/likes.pb.swift",
        "Sources/LikesDomain/likes.descriptor.swift", "Sources/LikesDomain/Likes.swift",
        "Sources/LikesDomain/LikesInvariants.swift", "Sources/LikesDomain/LikesDemonstration.swift",
        "Sources/likes/Main.swift", "Sources/embedded/Main.swift", "Tests/LikesTests/LikesSpecification.swift",
        "Tests/LikesTests/LikesSimulation.swift",
    ]

    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let example = context.package.directoryURL.appending(path: "Examples/Likes")
        let inputs = Self.files.map { example.appending(path: $0) }
        let members = try zip(Self.files, inputs).map { path, input in
            let text = Data(try Data(contentsOf: input)).base64EncodedString()
            return "        (\"\(path)\", \"\(text)\"),\n"
        }
        let file = context.pluginWorkDirectoryURL.appending(path: "ExampleFiles.swift")
        let text = """
            // Made of Examples/Likes. Do not edit.

            /// The files of the example package, as base64, by their paths in it.
            enum ExampleFiles {
                static let all: [(path: String, base64: String)] = [
            \(members.joined())    ]
            }

            """
        return [
            .buildCommand(
                displayName: "Embedding \(members.count) files of the example", executable: URL(filePath: "/bin/sh"),
                arguments: ["-c", #"printf '%s' "$1" > "$2""#, "sh", text, file.path], inputFiles: inputs,
                outputFiles: [file])
        ]
    }
}
