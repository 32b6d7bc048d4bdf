// The parts of kafkajs 2.2.4, the last release, that it does not export: one broker's requests, without the consumer above them whose
// faults in rebalances the drivers are to be free of. Only what is used is declared.

declare module 'kafkajs/src/broker/index.js' {
  import type { Logger } from 'kafkajs';

  export interface RawMessage {
    offset: string;
    timestamp: string;
    key: Buffer | null;
    value: Buffer | null;
    headers: Record<string, Buffer | Buffer[] | null>;
    isControlRecord: boolean;
    batchContext: { firstOffset: string; lastOffsetDelta: number };
  }

  export default class Broker {
    constructor(options: { connectionPool: unknown; logger: Logger; allowAutoTopicCreation: boolean });
    connect(): Promise<void>;
    disconnect(): Promise<void>;
    metadata(topics: readonly string[]): Promise<{
      brokers: { nodeId: number; host: string; port: number }[];
      topicMetadata: { topic: string; partitionMetadata: { partitionId: number; leader: number }[] }[];
    }>;
    findGroupCoordinator(request: {
      groupId: string;
      coordinatorType: number;
    }): Promise<{ coordinator: { host: string; port: number } }>;
    initProducerId(request: { transactionTimeout: number }): Promise<{ producerId: string; producerEpoch: number }>;
    produce(request: {
      acks: number;
      timeout: number;
      producerId: string;
      producerEpoch: number;
      topicData: {
        topic: string;
        partitions: {
          partition: number;
          firstSequence: number;
          messages: { key: Buffer | null; value: Buffer | null; headers: Record<string, Buffer> }[];
        }[];
      }[];
    }): Promise<{ topics: { topicName: string; partitions: { partition: number; baseOffset: string }[] }[] }>;
    fetch(request: {
      replicaId: number;
      isolationLevel: number;
      maxWaitTime: number;
      minBytes: number;
      maxBytes: number;
      topics: { topic: string; partitions: { partition: number; fetchOffset: string; maxBytes: number }[] }[];
    }): Promise<{
      responses: {
        topicName: string;
        partitions: { partition: number; highWatermark: string; messages: RawMessage[] }[];
      }[];
    }>;
    listOffsets(request: {
      replicaId: number;
      isolationLevel: number;
      topics: { topic: string; partitions: { partition: number; timestamp: number }[] }[];
    }): Promise<{ responses: { topic: string; partitions: { partition: number; offset: string }[] }[] }>;
    joinGroup(request: {
      groupId: string;
      memberId: string;
      sessionTimeout: number;
      rebalanceTimeout: number;
      groupProtocols: { name: string; metadata: Buffer }[];
    }): Promise<{
      generationId: number;
      leaderId: string;
      memberId: string;
      members: { memberId: string; memberMetadata: Buffer }[];
    }>;
    syncGroup(request: {
      groupId: string;
      generationId: number;
      memberId: string;
      groupAssignment: { memberId: string; memberAssignment: Buffer }[];
    }): Promise<{ memberAssignment: Buffer }>;
    heartbeat(request: { groupId: string; groupGenerationId: number; memberId: string }): Promise<unknown>;
    leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>;
    offsetCommit(request: {
      groupId: string;
      groupGenerationId: number;
      memberId: string;
      topics: { topic: string; partitions: { partition: number; offset: string }[] }[];
    }): Promise<unknown>;
    offsetFetch(request: {
      groupId: string;
      topics: { topic: string; partitions: { partition: number }[] }[];
    }): Promise<{ responses: { topic: string; partitions: { partition: number; offset: string }[] }[] }>;
  }
}

declare module 'kafkajs/src/cluster/connectionPoolBuilder.js' {
  import type { ISocketFactory, Logger } from 'kafkajs';

  export default function connectionPoolBuilder(options: {
    socketFactory: ISocketFactory;
    brokers: string[];
    clientId: string;
    connectionTimeout: number;
    requestTimeout: number;
    enforceRequestTimeout: boolean;
    logger: Logger;
  }): { build(destination: { host: string; port: number }): Promise<unknown> };
}

declare module 'kafkajs/src/network/requestQueue/index.js' {
  import type { Logger } from 'kafkajs';

  export interface SocketRequest {
    readonly requestTimeout: number;
    timeoutRequest(): void;
  }

  export default class RequestQueue {
    constructor(options: {
      maxInFlightRequests: number | null;
      requestTimeout: number;
      enforceRequestTimeout: boolean;
      clientId: string;
      broker: string;
      logger: Pick<Logger, 'debug' | 'warn'>;
      isConnected?: () => boolean;
    });
    inflight: Map<number, SocketRequest>;
    pending: unknown[];
    throttledUntil: number;
    enforceRequestTimeout: boolean;
    requestTimeout: number;
    requestTimeoutIntervalId: NodeJS.Timeout | undefined;
    isConnected(): boolean;
    push(request: {
      entry: {
        apiKey: number;
        apiName: string;
        apiVersion: number;
        correlationId: number;
        resolve: (answer: unknown) => void;
        reject: (error: Error) => void;
      };
      expectResponse: boolean;
      sendRequest: () => void;
    }): void;
    destroy(): void;
    scheduleCheckPendingRequests(): void;
    scheduleRequestTimeoutCheck(): void;
  }
}
