namespace Sandbox;

/// <summary>Whether a microVM's processes get SELinux labels of their own.</summary>
public enum SeLinuxMode
{
    /// <summary>Where SELinux is active and its policy knows Sandbox; elsewhere without. <see cref="MicroVm.SeLinux"/> says which.</summary>
    Auto,

    /// <summary>The start fails unless the policy knows Sandbox and the kernel enforces it.</summary>
    Required,

    /// <summary>Never.</summary>
    Off,
}
