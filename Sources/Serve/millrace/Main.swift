internal import Domains
internal import MillraceApp

@main enum Main {
    static func main() async { await Application.main(Domains.all(_:)) }
}
