using Mono.Unix;

namespace Sandbox.Confinement.Tests;

/// <summary>Who owns a file, as Mono.Posix sees it.</summary>
internal static class FileOwner
{
    internal static string Of(string path) => new UnixFileInfo(path).OwnerUser.UserName;
}
