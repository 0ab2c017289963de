namespace Sandbox;

/// <summary>
/// When the phases of a start were reached, counted from the call of <see cref="MicroVm.StartAsync"/>. They come in the order of the members, but the
/// kernel is loaded and the processes get ready side by side.
/// </summary>
/// <param name="FilesOpened">Options are checked, every file is open, the initial RAM disk and the root image are made.</param>
/// <param name="ProcessesSpawned">Every process has been started.</param>
/// <param name="ProcessesReady">Every process has its walls up and its specification read.</param>
/// <param name="KernelLoaded">Kernel, initial RAM disk and tables are in guest memory.</param>
/// <param name="DevicesAttached">The VMM has agreed with every device process.</param>
/// <param name="FirstInstruction">The first virtual processor entered the guest.</param>
/// <param name="AgentConnected">The guest's kernel has booted and its agent has called.</param>
/// <param name="GuestReady">The guest's root is in place; commands can run.</param>
public readonly record struct StartTimings(
    TimeSpan FilesOpened,
    TimeSpan ProcessesSpawned,
    TimeSpan ProcessesReady,
    TimeSpan KernelLoaded,
    TimeSpan DevicesAttached,
    TimeSpan FirstInstruction,
    TimeSpan AgentConnected,
    TimeSpan GuestReady);
