namespace Sandbox.Memory;

/// <content>Tells the watcher.</content>
public readonly partial struct GuestSlice
{
    static partial void Touched(ulong hostAddress, ulong lengthBytes, bool writes) => GuestWatch.Watcher?.Touched(hostAddress, lengthBytes, writes);
}
