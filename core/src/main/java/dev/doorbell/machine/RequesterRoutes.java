package dev.doorbell.machine;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.DmaPort;
import dev.doorbell.bus.Requester;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.description.HostBridge;
import dev.doorbell.pci.Sbdf;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/// The root complex's way inwards: a device's access gets its StreamID, passes the IOMMU, and goes on with its DeviceID. One for
/// each segment. Allocates nothing on writes and takes no lock.
final class RequesterRoutes implements DmaPort {
  private static final int REQUESTERS = Sbdf.LAST_REQUESTER_ID + 1;
  private static final int NO_TRANSLATOR = -1;

  private final SystemBus bus;
  private final Translator[] translators;
  private final short[] translatorOf = new short[REQUESTERS];
  private final Requester[] requesterOf = new Requester[REQUESTERS];

  /// @param bridges the segment's root complexes
  /// @param iommus models by id
  /// @throws NotModelled when firmware maps to an IOMMU that it does not describe
  RequesterRoutes(List<HostBridge> bridges, Map<String, Translator> iommus, SystemBus bus) {
    this.bus = bus;
    List<String> ids = iommus.keySet().stream().sorted().toList();
    translators = ids.stream().map(iommus::get).toArray(Translator[]::new);
    Arrays.fill(translatorOf, (short) NO_TRANSLATOR);
    for (int rid = 0; rid < REQUESTERS; rid++) {
      requesterOf[rid] = new Requester(0, rid);
    }
    for (HostBridge b : bridges) {
      for (int rid = b.firstBus() << 8; rid < (b.lastBus() + 1) << 8; rid++) {
        route(b, rid, ids);
      }
    }
  }

  private void route(HostBridge b, int rid, List<String> ids) {
    int streamId = 0;
    int deviceId = rid;
    for (HostBridge.StreamMapping m : b.streams()) {
      OptionalInt stream = m.streamOf(rid);
      if (stream.isPresent()) {
        int translator = ids.indexOf(m.iommu());
        if (translator < 0) {
          throw new NotModelled(
              m.iommu(), "firmware maps to it and does not describe it", m.source());
        }
        translatorOf[rid] = (short) translator;
        streamId = stream.getAsInt();
        break;
      }
    }
    for (HostBridge.MsiMapping m : b.msis()) {
      OptionalInt id = m.deviceIdOf(rid);
      if (id.isPresent()) {
        deviceId = id.getAsInt();
        break;
      }
    }
    requesterOf[rid] = new Requester(streamId, deviceId);
  }

  @Override
  public BusOutcome write(int requesterId, long address, long value, int bytes) {
    int rid = requesterId & 0xffff;
    Requester from = requesterOf[rid];
    int translator = translatorOf[rid];
    return translator == NO_TRANSLATOR
        ? bus.write(address, value, bytes, from.deviceId())
        : translators[translator].write(from, address, value, bytes, bus);
  }

  @Override
  public BusRead read(int requesterId, long address, int bytes) {
    int rid = requesterId & 0xffff;
    int translator = translatorOf[rid];
    if (translator == NO_TRANSLATOR) {
      return bus.read(address, bytes);
    }
    Translator t = translators[translator];
    t.begin();
    try {
      long pa = t.translate(requesterOf[rid].streamId(), -1, address, Translator.READ);
      if (pa < 0) {
        boolean zero = bytes == Integer.BYTES && address % Integer.BYTES == 0;
        return pa == Translator.MESSAGE && zero ? BusRead.ok(0) : BusRead.error(bytes);
      }
      return bus.read(pa, bytes);
    } finally {
      t.end();
    }
  }
}
