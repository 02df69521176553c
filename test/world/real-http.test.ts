import { realHttp } from '../../src/world/real-http.ts';
import { httpContract } from './http-contract.ts';

httpContract('in this process', realHttp);
