import { type DescFile, type DescService, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { Server } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';

/** Lets tools such as buf curl and grpcurl ask the server what it can do (gRPC server reflection). */
export function addReflection(server: Server, services: readonly DescService[]): void {
  const files = new Set<DescFile>();
  for (const service of services) addFile(service.file, files);
  const fileDescriptorProtos = [...files].map((file) => Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)));
  const format = 'Protocol Buffer 3 DescriptorProto';
  new ReflectionService({ all: { format, type: {}, fileDescriptorProtos } }).addToServer(server);
}

/** A file and all that it imports. */
function addFile(file: DescFile, files: Set<DescFile>): void {
  if (files.has(file)) return;
  files.add(file);
  for (const imported of file.dependencies) addFile(imported, files);
}
