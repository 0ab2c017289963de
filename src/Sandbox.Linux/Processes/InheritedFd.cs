namespace Sandbox.Linux;

/// <summary>One line of the table of fds that a child is born with.</summary>
/// <param name="ChildNumber">The number under which the child finds it.</param>
/// <param name="Source">The parent's fd, borrowed until the spawn has returned.</param>
public readonly record struct InheritedFd(int ChildNumber, FdHandle Source);
