using Sandbox.Control.Launch;

namespace Sandbox.Labels;

/// <summary>The types of the policy (src/selinux/sandbox.cil) that the launcher gives.</summary>
internal static class SandboxTypes
{
    public const string Vmm = "sbx_vmm_t";

    /// <summary>The keeper of its control groups.</summary>
    public const string Keeper = "sbx_keeper_t";

    /// <summary>Guest memory.</summary>
    public const string Memory = "sbx_memory_t";

    /// <summary>Kernel and initial RAM disk, in sealed memory.</summary>
    public const string Boot = "sbx_boot_t";

    /// <summary>Console and standard error.</summary>
    public const string Pipe = "sbx_pipe_t";

    /// <summary>Control, vhost-user and agent sockets.</summary>
    public const string Channel = "sbx_channel_t";

    /// <summary>The socket between a network device and passt.</summary>
    public const string Frames = "sbx_frames_t";

    /// <summary>Kernels that many sandboxes read.</summary>
    public const string Share = "sbx_share_t";

    /// <summary>An image that many sandboxes read.</summary>
    public const string SharedImage = "sbx_image_ro_t";

    /// <summary>An image of one sandbox.</summary>
    public const string Image = "sbx_image_t";

    /// <summary>The role of everything that is no process.</summary>
    public const string ObjectRole = "object_r";

    /// <summary>A new kind of device needs its domain there, with no more rights than it has use for, and its line here.</summary>
    public static string Of(DeviceKind kind) => kind switch
    {
        DeviceKind.Block => "sbx_block_t",
        DeviceKind.Network => "sbx_net_t",
        DeviceKind.Entropy => "sbx_rng_t",
        DeviceKind.Balloon => "sbx_balloon_t",
        DeviceKind.Vsock => "sbx_vsock_t",
        _ => throw new InvalidOperationException("The policy has no type for this kind of device."),
    };
}
