/// The page of a domain, which the gateway serves at `/ui/domains/NAME`: what it shows is a piece of HTML (`page.html`), what
/// moves on it a module of JavaScript (`page.js`), and how it looks a style sheet (`page.css`). Each may be left out.
///
/// The files stand in the folder `Page` of the domain's module, and are built into the executable.
public struct DomainPage: Sendable {
    /// One file of it.
    public struct File: Sendable, Hashable {
        /// As it is asked for: `page.js`.
        public let name: String
        /// What it has, in base64.
        public let base64: String
    }
    /// What it is called: `Seats`.
    public let title: String
    /// All files of it, by which names they have.
    public let files: [File]

    /// A page of some files, each a name and what it has in base64: those that the plug-in `EmbedPage` makes of a folder.
    public init(_ title: String, files: [(name: String, base64: String)]) {
        self.title = title
        self.files = files.map { File(name: $0.name, base64: $0.base64) }
    }

    /// The file of a name; nil where it has none.
    public func file(_ name: String) -> File? { files.first { $0.name == name } }
}
