import Foundation
import PackagePlugin

/// Writes the list of all domains: one call for each module of a domain that the target depends on.
@main
struct ListDomains: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let modules = target.dependencies.compactMap { dependency in
            if case .target(let module) = dependency, module.name.hasSuffix("Domain") { module.name } else { nil }
        }
        let file = context.pluginWorkDirectoryURL.appending(path: "Domains+all.swift")
        let imports = modules.map { "internal import \($0)\n" }.joined()
        let calls = modules.map { "            try \($0).domain(settings),\n" }.joined()
        let text = """
            // Made of the folders in Sources/Domains. Do not edit.
            public import EventModel
            \(imports)
            extension Domains {
                /// Every domain, in the order of their folders' names, with what is set of it.
                ///
                /// - Throws: ``Malformed`` where a setting is not as its domain wants it.
                public static func all(_ settings: Settings) throws(Malformed) -> [Domain] {
                    [
            \(calls)        ]
                }
            }

            """
        return [
            .buildCommand(
                displayName: "Listing \(modules.count) domains", executable: URL(filePath: "/bin/sh"),
                arguments: ["-c", #"printf '%s' "$1" > "$2""#, "sh", text, file.path], outputFiles: [file])
        ]
    }
}
