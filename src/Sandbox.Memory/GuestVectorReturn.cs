namespace Sandbox.Memory;

/// <content>Gives memory back to the host.</content>
public sealed partial class GuestVector
{
    /// <summary>Gives the next segment back to the host, as <see cref="GuestSlice.ReturnToHost"/> does, and drops it, returned or not. 0, or the negated error number; nothing is done where no segment is left.</summary>
    public int ReturnFrontToHost()
    {
        if (IsEmpty)
        {
            return 0;
        }

        GuestSlice front = Front(ulong.MaxValue);
        Advance(front.LengthBytes);
        return front.ReturnToHost();
    }
}
