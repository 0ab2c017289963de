namespace Sandbox.Virtio.Balloon;

/// <summary>
/// struct virtio_balloon_config (virtio 1.2 §5.5.4): num_pages, how many pages the guest is to give, and actual, how many it has given. All zero:
/// no target is set, ever. The two fields behind them are there only with features that are not offered.
/// </summary>
public static class BalloonConfigSpace
{
    public const int SizeBytes = 8;
}
