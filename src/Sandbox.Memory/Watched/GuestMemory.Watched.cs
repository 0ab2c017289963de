namespace Sandbox.Memory;

/// <content>Tells the watcher.</content>
public sealed partial class GuestMemory
{
    partial void Mapped()
    {
        for (int index = 0; index < RegionCount; index++)
        {
            GuestWatch.Watcher?.Mapped(GetHostAddress(index), GetRegion(index));
        }
    }

    partial void Unmapping()
    {
        for (int index = 0; index < RegionCount; index++)
        {
            GuestWatch.Watcher?.Unmapping(GetHostAddress(index), GetRegion(index));
        }
    }
}
