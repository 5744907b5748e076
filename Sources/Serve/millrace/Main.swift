internal import Domains
internal import MillraceApp

@main enum Main {
    static func main() async { await Application.main(named: "millrace", Domains.all(_:)) }
}
