import Foundation
import PackagePlugin

/// Writes the files of a target's folder `Page` into a Swift source, so that the executable has them: `PageFiles.all`.
@main
struct EmbedPage: BuildToolPlugin {
    /// Each file as a name and its bytes in base64.
    private static let script = #"""
        out=$1; shift
        {
          echo '// Made of the folder Page. Do not edit.'
          echo 'enum PageFiles {'
          echo '    static let all: [(name: String, base64: String)] = ['
          for file; do printf '        ("%s", "%s"),\n' "$(basename "$file")" "$(base64 <"$file" | tr -d '\n')"; done
          echo '    ]'
          echo '}'
        } >"$out"
        """#

    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let folder = target.directoryURL.appending(path: "Page")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { !$0.hasPrefix(".") }
        let inputs = names.sorted().map { folder.appending(path: $0) }
        let file = context.pluginWorkDirectoryURL.appending(path: "PageFiles.swift")
        return [
            .buildCommand(
                displayName: "Embedding \(inputs.count) files of a page", executable: URL(filePath: "/bin/sh"),
                arguments: ["-c", Self.script, "sh", file.path] + inputs.map(\.path), inputFiles: inputs,
                outputFiles: [file])
        ]
    }
}
