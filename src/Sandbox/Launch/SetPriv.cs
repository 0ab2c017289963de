using Sandbox.Linux;

namespace Sandbox.Launch;

/// <summary>setpriv(1) of the host in front of another tool, which then ends with this process, however that ends.</summary>
internal static class SetPriv
{
    private const string Name = "setpriv";

    public static FdHandle Open() => OperatorFile.Open(HostTool.Find(Name) ?? Name, "setpriv of the Debian package util-linux", writable: false);

    /// <summary>The whole command line, setpriv's own name first.</summary>
    /// <param name="tool">The other tool's path.</param>
    /// <param name="arguments">Without its name.</param>
    public static IReadOnlyList<string> Arguments(string tool, IReadOnlyList<string> arguments) => [Name, "--pdeathsig", "KILL", "--", tool, .. arguments];
}
