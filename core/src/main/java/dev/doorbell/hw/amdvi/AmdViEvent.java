package dev.doorbell.hw.amdvi;

/// A record of the event log.
///
/// @param name the manual's name of the event, such as `IO_PAGE_FAULT`
/// @param device the device id that it is about; 0 for events of the command buffer
/// @param domain the DomainID, where the event has one
/// @param interrupt whether it is about an interrupt request
/// @param write whether it is about a write
/// @param address what the event says it happened at: an IOVA, or the physical address of an entry or command
public record AmdViEvent(
    String name, int device, int domain, boolean interrupt, boolean write, long address) {
  /// {@return a record in two words}
  static AmdViEvent decode(long w0, long w1) {
    long code = EventLayout.CODE.get(w0);
    String name = EventLayout.CODE.names().nameOf(code);
    return new AmdViEvent(
        name.isEmpty() ? "event " + code : name,
        EventLayout.DEVICE.getInt(w0),
        EventLayout.DOMAIN.getInt(w0),
        EventLayout.I.isSet(w0),
        EventLayout.RW.isSet(w0),
        EventLayout.ADDRESS.get(w1));
  }
}
